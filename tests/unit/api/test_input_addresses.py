"""Addresses in an input: each is judged by what its name resolves to, and ours are never fetched."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.inputs import InputAddresses
from domain.errors import RequestError
from domain.media import AssetFacts, InputRef, MediaKind
from domain.plan import ChainPlan
from net.origins import TrustedOrigins
from storage.assets import Assets
from storage.links import AssetLinks
from tests.support.orders import catalogue, chain
from tests.support.pictures import jpeg

OURS = "https://media.example.com"
ADDRESSES = {
    "public.example": ["93.184.215.14"],
    "private.example": ["10.0.0.7"],
    "metadata.example": ["169.254.169.254"],
    "mixed.example": ["93.184.215.14", "127.0.0.1"],
    "mapped.example": ["::ffff:10.0.0.7"],
}


class Names:
    """DNS as this test has it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in ADDRESSES:
            raise OSError("no such name")
        return ADDRESSES[host]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def addresses(tmp_path: Path, names: Names) -> InputAddresses:
    links = AssetLinks(b"secret", OURS)
    return InputAddresses(TrustedOrigins(), names, Assets.open(tmp_path.as_uri()), links, catalogue().models)


def order(picture: str) -> ChainPlan:
    plan = chain("chain2", "bfl/flux-2-pro", "bytedance/seedance-1.5-pro")
    first = replace(plan.steps[0], inputs=(InputRef(url=picture),))
    return replace(plan, steps=(first, *plan.steps[1:]), input=plan.input | {"source_image_url": picture})


async def kept(addresses: InputAddresses, caller: str) -> AssetFacts:
    async def chunks(data: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield data

    facts = await addresses.assets.add(chunks(jpeg("mine")), limit=10_000, kinds=frozenset({MediaKind.IMAGE}))
    await addresses.assets.grant(facts.id, caller)
    return facts


async def test_a_public_name_passes_and_stays_an_address(addresses: InputAddresses, names: Names) -> None:
    settled = await addresses.settle(order("https://public.example/a.png"))
    assert settled.steps[0].inputs == (InputRef(url="https://public.example/a.png"),)
    assert names.asked == []
    await addresses.resolve(settled)
    assert names.asked == ["public.example"]


@pytest.mark.parametrize("host", [*(name for name in ADDRESSES if name != "public.example"), "unknown.example"])
async def test_a_name_that_leads_inside_is_refused(addresses: InputAddresses, host: str) -> None:
    plan = await addresses.settle(order(f"https://{host}/a.png"))
    with pytest.raises(RequestError) as caught:
        await addresses.resolve(plan)
    assert caught.value.reason == "invalid_chain_input"
    assert caught.value.faults[0].path == ("input", "source_image_url")


async def test_every_unsafe_address_is_named_at_any_depth(addresses: InputAddresses) -> None:
    plan = order("https://public.example/a.png")
    hidden = {"a": ["no address", {"b": "https://127.0.0.1/x"}], "c": "http://public.example/"}
    plan = replace(plan, input=plan.input | {"image_to_video_params": hidden})
    with pytest.raises(RequestError) as caught:
        await addresses.settle(plan)
    with pytest.raises(RequestError) as spelled:
        addresses.check_spelling(plan.input)
    assert {fault.path for fault in caught.value.faults} == {
        ("input", "image_to_video_params", "a", 1, "b"),
        ("input", "image_to_video_params", "c"),
    }
    assert spelled.value.faults == caught.value.faults


async def test_every_name_that_leads_inside_is_named_at_once(addresses: InputAddresses) -> None:
    hidden = {"a": [{"b": "https://private.example/x"}], "c": "https://unknown.example/"}
    plan = order("https://public.example/a.png")
    with pytest.raises(RequestError) as caught:
        await addresses.resolve(replace(plan, input=plan.input | {"image_to_video_params": hidden}))
    assert {fault.path for fault in caught.value.faults} == {
        ("input", "image_to_video_params", "a", 0, "b"),
        ("input", "image_to_video_params", "c"),
    }


async def test_our_own_link_is_read_from_the_store_and_not_resolved(addresses: InputAddresses, names: Names) -> None:
    plan = order("x")
    facts = await kept(addresses, plan.caller)
    for picture in (facts.id, addresses.links.url(facts.id, datetime.now(UTC))):
        settled = await addresses.settle(order(picture))
        assert settled.steps[0].inputs == (InputRef(asset=facts.id),)
    assert names.asked == []


async def test_somebody_elses_file_is_refused_by_id_and_by_link(addresses: InputAddresses) -> None:
    facts = await kept(addresses, "somebody else")
    for picture in (facts.id, addresses.links.url(facts.id, datetime.now(UTC))):
        with pytest.raises(RequestError) as caught:
            await addresses.settle(order(picture))
        assert caught.value.reason == "invalid_chain_input"


async def test_a_forged_link_of_ours_is_an_address_like_any_other(addresses: InputAddresses, names: Names) -> None:
    facts = await kept(addresses, order("x").caller)
    with pytest.raises(RequestError):
        await addresses.resolve(order(f"{OURS}/assets/{facts.id}?expires=9999999999&signature=x"))
    assert names.asked == ["media.example.com"]


@pytest.mark.parametrize(
    "url", ["http://a.example", "https://10.0.0.1/x", "https://u:p@a.example", "https://a.internal"]
)
def test_a_callback_is_judged_without_asking_dns(addresses: InputAddresses, names: Names, url: str) -> None:
    with pytest.raises(RequestError) as caught:
        addresses.check_callback(url)
    assert caught.value.reason == "invalid_callback_url"
    addresses.check_callback("https://unknown.example/hook")
    assert names.asked == []
