"""RelayDance's uploads: bounded in time, and made once for all the attempts of a submit."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from activities.fence import PREPARATION
from domain.errors import InputRejected, Refused
from domain.media import InputFile
from domain.provider import Accepted
from providers.relaydance import MODELS, RelayDance
from providers.relaydance.models import UPLOADS_TIMEOUT
from providers.relaydance.uploads import Uploads
from tests.contract.adapters import Control, key_of, request
from tests.support.pictures import jpeg

SILENT = MODELS["relaydance/seedance-1-5-pro-no-audio"]
FUSION = MODELS["relaydance/doubao-seedance-2-0-1080p"]
PROMPT = {"prompt": "the kite lifts off"}
KITE, SEA = (InputFile(data=jpeg(name, (512, 512)), media_type="image/jpeg") for name in ("kite", "sea"))
BUSY = {"kind": "status", "status": 429, "operation": "submit"}
REFUSED = {"kind": "status", "status": 400, "operation": "submit"}


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 0.001
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def relay(sandbox: Control, http: httpx.AsyncClient, clock: Clock) -> RelayDance:
    return at(sandbox, http, uploads=Uploads(now=clock))


def at(sandbox: Control, http: httpx.AsyncClient, **more: Any) -> RelayDance:
    return RelayDance(http, key_of("relaydance"), base=f"{sandbox.url}/relaydance/v1", **more)


async def submit(relay: RelayDance, *pictures: InputFile) -> None:
    assert isinstance(await relay.submit(request(FUSION, PROMPT, *pictures), "key", None), Accepted)


async def refused(relay: RelayDance, *pictures: InputFile) -> Refused:
    with pytest.raises(Refused) as raised:
        await submit(relay, *pictures)
    return raised.value


async def uploads(sandbox: Control) -> int:
    return len(await sandbox.jobs("upload"))


async def sent(sandbox: Control) -> list[list[str]]:
    """The addresses of every submit, in its order."""
    rows = await sandbox.submits()
    return [[item["image_url"]["url"] for item in row["body"]["metadata"]["content"]] for row in rows]


async def test_a_submit_that_is_tried_again_uploads_nothing_again(relay: RelayDance, sandbox: Control) -> None:
    await sandbox.put_faults(BUSY | {"count": 2})
    for _ in range(2):
        await refused(relay, KITE, SEA)
    await submit(relay, KITE, SEA)
    assert await uploads(sandbox) == 2
    first, *others = await sent(sandbox)
    assert others == [first, first]
    assert (await sandbox.http.get(first[0])).content == KITE.data


@pytest.mark.parametrize(
    "another", [SEA, InputFile(data=KITE.data, media_type="image/png")], ids=["content", "media type"]
)
async def test_another_picture_is_uploaded(relay: RelayDance, sandbox: Control, another: InputFile) -> None:
    await submit(relay, KITE)
    await submit(relay, another)
    assert await uploads(sandbox) == 2


async def test_an_upload_is_remembered_for_a_quarter_of_an_hour(
    relay: RelayDance, sandbox: Control, clock: Clock
) -> None:
    """Links were reported to live for half an hour."""
    await submit(relay, KITE)
    clock.seconds += 14 * 60
    await submit(relay, KITE)
    assert await uploads(sandbox) == 1
    clock.seconds += 2 * 60
    await submit(relay, KITE)
    assert await uploads(sandbox) == 2


async def test_of_uploads_only_the_newest_thousand_are_remembered() -> None:
    kept = Uploads()
    pictures = [InputFile(data=str(number).encode()) for number in range(1001)]
    for picture in pictures:
        kept.keep(picture, "https://x")
    assert [kept.find(picture) is None for picture in pictures] == [True] + [False] * 1000


async def test_an_upload_that_failed_is_not_remembered(relay: RelayDance, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "status", "status": 503, "operation": "upload"})
    await refused(relay, KITE)
    await submit(relay, KITE)
    assert await uploads(sandbox) == 2


async def test_a_remembered_address_that_may_have_died_is_uploaded_anew(relay: RelayDance, sandbox: Control) -> None:
    await submit(relay, KITE)
    await sandbox.put_faults(REFUSED)
    assert (await refused(relay, KITE)).retryable
    await submit(relay, KITE)
    assert await uploads(sandbox) == 2


async def test_what_is_refused_with_fresh_uploads_is_refused_for_good(relay: RelayDance, sandbox: Control) -> None:
    await sandbox.put_faults(REFUSED)
    with pytest.raises(InputRejected):
        await submit(relay, KITE, KITE)
    assert await uploads(sandbox) == 1


async def test_another_account_knows_nothing_of_an_upload(
    sandbox: Control, http: httpx.AsyncClient, relay: RelayDance
) -> None:
    await submit(relay, KITE)
    await submit(at(sandbox, http), KITE)
    assert await uploads(sandbox) == 2


def test_uploads_end_before_a_submit_is_given_up_in_its_preparation() -> None:
    assert PREPARATION.total_seconds() > UPLOADS_TIMEOUT
    assert SILENT.submit_timeout > UPLOADS_TIMEOUT


async def test_uploads_that_take_too_long_start_nothing_and_may_be_tried_again(
    sandbox: Control, http: httpx.AsyncClient
) -> None:
    relay = at(sandbox, http, uploads_timeout=0.05)
    await sandbox.put_faults({"kind": "hang", "operation": "upload"})
    error = await refused(relay, KITE)
    assert (error.reason, error.retryable) == ("provider_network_error", True)
    assert await sandbox.submits() == []


async def test_what_was_uploaded_before_the_time_was_up_is_left_to_the_next_attempt() -> None:
    """Several large pictures may need more than one attempt; each brings them further."""
    asked: list[str] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        asked.append(call.url.path)
        if len(asked) == 2:
            raise httpx.ReadTimeout("too slow", request=call)
        return httpx.Response(200, json={"task_id": "t", "status": "submitted", "url": "https://cdn.example/u.png"})

    async with mocked(answer) as http:
        relay = RelayDance(http, "sk-123456", base="https://relaydance.com/v1")
        await refused(relay, KITE, SEA)
        await submit(relay, KITE, SEA)
    assert asked == ["/v1/files", "/v1/files", "/v1/files", "/v1/video/generations"]


def mocked(answer: Callable[[httpx.Request], Any]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))
