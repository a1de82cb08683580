"""Every family of picture models hands on to the video models of every provider, at the size it draws by default.

The files are real, so that a provider refuses here what it refuses of a picture. And each provider's jobs end by both
ways there are: told by its webhook, and found out by looking.
"""

import asyncio
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from temporalio.client import Client

import providers
from domain.media import MediaKind, MediaRequest
from domain.provider import Looks, ModelCard
from tests.support.sandbox_server import QUICK
from tests.support.service import ENDED, Json, running_service
from tests.support.stack import Stack, running_stack
from tests.support.trials import AT_ONCE, trial
from tests.support.waiting import eventually

IN_FLIGHT = 4
"""More would only draw each film later: drawing is what this test's time goes into."""
LONGEST = 120.0
_FAMILY = re.compile(r"bfl/flux-(\d[\d.]*(-klein)?|kontext)|[^/]+/\D+")

NEVER = Looks(grace=600.0)


def picture_families() -> dict[str, str]:
    """The first model of each family: FLUX of one version, Seedream of any."""
    found: dict[str, str] = {}
    for card in (card for module in MODULES for card in module.MODELS.values()):
        if card.kind is MediaKind.IMAGE and (family := _FAMILY.match(card.id)):
            found.setdefault(family.group(), card.id)
    return found


def first_of(kind: MediaKind) -> dict[str, ModelCard]:
    """The first model of this kind of each provider."""
    cards = {module.NAME: [card for card in module.MODELS.values() if card.kind is kind] for module in MODULES}
    return {name: offered[0] for name, offered in cards.items() if offered}


MODULES = [module for module in providers.modules() if not hasattr(module, "MODE")]
"""Those that serve models of their own, not the same ones in a mode of their own."""
PICTURES = picture_families()
VIDEOS = first_of(MediaKind.VIDEO)
PAIRS = list(product(PICTURES, VIDEOS))
REPORTING = [card for kind in MediaKind for card in first_of(kind).values() if card.webhook]
WATCHED = [card for kind in MediaKind for card in first_of(kind).values() if card.submit_timeout < 600]
"""Not those whose one answer is the picture itself."""


def least_lines(card: ModelCard) -> str:
    """The smallest film that the model can be asked for."""
    wishes = {size: MediaRequest(MediaKind.VIDEO, resolution=size) for size in ("480p", "720p")}
    return next(size for size, wish in wishes.items() if not card.from_neutral(wish).lost)


def body(picture: str, video: ModelCard) -> Json:
    """The picture by default, the film short and small."""
    return {
        "input": {
            "chain_models": {"text_to_image_model": picture, "image_to_video_model": video.id},
            "text_to_image_params": {"generation_prompt": "a paper boat"},
            "image_to_video_params": {
                "generation_prompt": "waves roll",
                "generation_duration": 3,
                "generation_resolution": least_lines(video),
            },
        }
    }


@pytest.fixture(scope="module")
async def ended(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Json]:
    """All runs of the matrix through one service."""
    room = asyncio.Semaphore(IN_FLIGHT)
    config = replace(QUICK, media="real", limits=False)
    async with running_service(temporal, tmp_path_factory.mktemp("matrix"), config=config) as service:

        async def run(picture: str, video: str) -> Json:
            async with room:
                created = await service.create("chain1", body(PICTURES[picture], VIDEOS[video]))
                return await eventually(
                    lambda: service.get(created["id"]), lambda run: run["status"] in ENDED, longest=LONGEST
                )

        return dict(zip(PAIRS, await asyncio.gather(*(run(*pair) for pair in PAIRS)), strict=True))


@pytest.mark.parametrize(("picture", "video"), PAIRS)
async def test_a_picture_of_every_family_becomes_a_video_at_every_provider(
    ended: dict[tuple[str, str], Json], picture: str, video: str
) -> None:
    run = ended[picture, video]
    assert run["status"] == "succeeded", run["error"]
    drawn, filmed = run["steps"]
    assert [step["served_by"]["provider"] for step in run["steps"]][1] == video
    assert filmed["generation_input_file"] == drawn["generation_output_file"]
    assert [len(step["attempts"]) for step in run["steps"]] == [1, 1]


# ---- both ways in which a job's end is learnt -----------------------------------------------------------------------


@pytest.mark.parametrize("card", REPORTING, ids=lambda card: card.id)
async def test_a_webhook_alone_ends_the_wait(temporal: Client, tmp_path: Path, card: ModelCard) -> None:
    """Nobody would look for ten minutes. Told once, we look once."""
    async with running_stack(temporal, tmp_path) as stack:
        await stack.succeed(trial(card.id, looks=NEVER)[0])
        assert await polls(stack, card) == 1


@pytest.mark.parametrize("card", WATCHED, ids=lambda card: card.id)
async def test_looking_alone_ends_the_wait(temporal: Client, tmp_path: Path, card: ModelCard) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults({"kind": "drop", "provider": card.provider, "count": 100})
        await stack.succeed(trial(card.id, looks=AT_ONCE)[0])
        assert await polls(stack, card) >= 1


async def polls(stack: Stack, card: ModelCard) -> int:
    [row] = [row for row in await stack.sandbox.jobs() if row["model"] == card.raw_id and row["operation"] == "submit"]
    return int(row["polls"])
