"""What the client repeats, and what it leaves: over real connections to a server that answers as it is told."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from babychain_client import (
    AsyncBabyChain,
    AsyncRun,
    BabyChain,
    BabyChainError,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    RunState,
    ServiceUnavailable,
    TooManyRequests,
)
from babychain_client.exchange import Call, Rates
from tests.support.scripted import CUT, Scripted, answer, run_data, scripted
from tests.support.serving import free_port

RUN = answer(202, run_data("queued"))
BUSY = answer(503, {"error": {"type": "api_error", "code": "overloaded", "message": "Too much."}}, retry_after="0")


def connected(server: Scripted, *, tries: int = 3) -> AsyncBabyChain:
    return AsyncBabyChain(server.url, "a key", tries=tries, http=httpx.AsyncClient(trust_env=False))


async def test_a_create_is_repeated_under_the_one_key_that_we_made() -> None:
    async with scripted(BUSY, CUT, RUN) as server:
        run = await connected(server).run("chain1", {})
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert run.id == run_data("queued")["id"]
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_two_creates_of_ours_are_two_runs() -> None:
    async with scripted(RUN, RUN) as server:
        client = connected(server)
        await client.run("chain1", {})
        await client.run("chain1", {})
    first, second = (request.headers["idempotency-key"] for request in server.requests)
    assert first != second


async def test_where_no_answer_comes_the_key_is_told_so_that_the_caller_can_repeat() -> None:
    async with scripted(CUT, CUT) as server:
        with pytest.raises(ConnectionFailed) as failed:
            await connected(server, tries=2).run("chain1", {}, idempotency_key="order-7")
    assert failed.value.idempotency_key == "order-7"
    assert "order-7" in str(failed.value)


async def test_what_stays_busy_is_said_after_the_last_try() -> None:
    async with scripted(BUSY, BUSY) as server:
        with pytest.raises(ServiceUnavailable) as refused:
            await connected(server, tries=2).templates()
    assert refused.value.code == "overloaded"
    assert len(server.requests) == 2


async def test_a_spend_cap_is_no_moment_to_wait_for() -> None:
    capped = answer(429, {"error": {"code": "spend_cap_exceeded", "message": "Spent."}}, retry_after="40000")
    async with scripted(capped, RUN) as server:
        with pytest.raises(TooManyRequests) as refused:
            await connected(server).run("chain1", {})
    assert refused.value.retry_after == 40000
    assert len(server.requests) == 1


async def test_a_wrong_request_is_never_repeated_and_a_strange_answer_is_still_an_error() -> None:
    async with scripted(answer(400, {"error": {"code": "invalid_request", "message": "No."}})) as server:
        with pytest.raises(InvalidRequest):
            await connected(server).run("chain1", {})
    async with scripted(answer(500, "<html>a proxy</html>")) as server:
        with pytest.raises(ServiceUnavailable):
            await connected(server).templates()


def test_who_has_no_place_left_waits_instead_of_being_refused() -> None:
    now = 100.0
    rates = Rates(clock=lambda: now)
    create, read = Call("POST", "/", "creates"), Call("GET", "/", "reads")
    rates.note(httpx.Response(200, headers={"ratelimit": '"creates";r=1;t=60'}))
    assert rates.pause(create) == 0
    rates.note(httpx.Response(200, headers={"ratelimit": '"creates";r=0;t=12'}))
    assert (rates.pause(create), rates.pause(read), rates.pause(Call("POST", "/cancel"))) == (12, 0, 0)
    now += 12
    assert rates.pause(create) == 0


async def test_a_wait_asks_the_api_to_hold_and_names_the_run_when_it_is_lost() -> None:
    held = [answer(200, run_data(status), preference_applied="wait=30") for status in ("running", "succeeded")]
    async with scripted(*held) as server:
        assert (await connected(server).wait("a-run")).succeeded
    assert [request.headers["prefer"] for request in server.requests] == ["wait=30", "wait=30"]
    async with scripted(CUT) as server:
        with pytest.raises(ConnectionFailed) as lost:
            await connected(server, tries=1).wait("a-run")
    assert lost.value.run_id == "a-run"
    assert "a-run goes on" in "".join(lost.value.__notes__)


def event(name: str, id: str | None, data: object) -> str:
    return f"event: {name}\n" + (f"id: {id}\n" if id else "") + f"data: {json.dumps(data)}\n\n"


async def test_a_stream_that_breaks_off_is_taken_up_after_the_last_event_that_was_heard() -> None:
    first = (
        ": alive\n\nretry: 1000\n\n" + event("run", "5", run_data("queued")) + event("waiting", None, {"id": "a-run"})
    )
    rest = event("run", "9", run_data("succeeded")) + event("news", None, {}) + event("end", "end", {"id": "a-run"})
    async with scripted(
        answer(200, first, kind="text/event-stream", cut=True), BUSY, answer(200, rest, kind="text/event-stream")
    ) as server:
        heard = [(one.kind, one.id) async for one in connected(server).stream("a-run")]
    assert heard == [("run", "5"), ("waiting", "5"), ("run", "9"), ("end", "end")]
    assert [request.headers.get("last-event-id") for request in server.requests] == [None, "5", "5"]


async def test_the_synchronous_client_repeats_alike() -> None:
    async with scripted(BUSY, CUT, RUN) as server:

        def work() -> str:
            with BabyChain(server.url, "a key", tries=3, http=httpx.Client(trust_env=False)) as client:
                return client.run("chain1", {}).id

        assert await asyncio.to_thread(work) == run_data("queued")["id"]
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1


def interrupted(_: httpx.Request) -> httpx.Response:
    raise KeyboardInterrupt


def test_ctrl_c_names_the_run_that_goes_on_or_the_key_that_may_have_started_one() -> None:
    http = httpx.Client(transport=httpx.MockTransport(interrupted))
    client = BabyChain("http://api", "a key", http=http)
    with pytest.raises(KeyboardInterrupt) as waiting:
        client.wait("a-run")
    assert "a-run goes on" in "".join(waiting.value.__notes__)
    assert getattr(waiting.value, "run_id", None) == "a-run"
    with pytest.raises(KeyboardInterrupt) as starting:
        client.run("chain1", {}, idempotency_key="order-7")
    assert "order-7" in "".join(starting.value.__notes__)


async def test_where_nobody_listens_the_address_is_said_and_no_run_is_feared() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    client = AsyncBabyChain(url, "a key", tries=2, http=httpx.AsyncClient(trust_env=False))
    with pytest.raises(ConnectionFailed) as failed:
        await client.run("chain1", {}, idempotency_key="order-7")
    assert str(failed.value) == f"Nothing answers at {url}."
    assert (failed.value.unreached, failed.value.idempotency_key) == (True, "order-7")


async def test_a_run_that_an_earlier_try_may_have_started_is_told_of_where_the_last_found_nobody() -> None:
    tries = [httpx.ReadError("cut"), httpx.ConnectError("gone")]

    def fail(_: httpx.Request) -> httpx.Response:
        raise tries.pop(0)

    client = AsyncBabyChain("http://api", "a key", tries=2, http=httpx.AsyncClient(transport=httpx.MockTransport(fail)))
    with pytest.raises(ConnectionFailed, match="may have been started"):
        await client.run("chain1", {})


@pytest.mark.parametrize("strange", [answer(200, "<html>"), answer(200, []), answer(200, {"message": "hello"})])
async def test_another_server_at_the_address_is_told_from_the_api(strange: bytes) -> None:
    async with scripted(strange, strange) as server:
        with pytest.raises(ConnectionFailed, match=f"{server.url} is not the API"):
            await connected(server).models()
        with pytest.raises(ConnectionFailed, match="is not the API"):
            await connected(server).wait("a-run")


async def test_an_address_without_its_protocol_is_refused_at_once() -> None:
    client = AsyncBabyChain("localhost:8000", "a key", http=httpx.AsyncClient(trust_env=False))
    with pytest.raises(ConnectionFailed, match="http://"):
        await client.models()


@pytest.mark.parametrize("given", [5, "all", {"a": 1}])
async def test_events_of_a_strange_kind_reach_the_api_which_refuses_them(given: Any) -> None:
    async with scripted(answer(400, {"error": {"code": "invalid_request", "message": "No."}})) as server:
        with pytest.raises(InvalidRequest):
            await connected(server).run("chain1", {}, webhook_events=given)
    assert json.loads(server.requests[0].body)["webhook_events"] == given


SENT = answer(200, {"status": "pending", "attempts": []})


async def test_a_callback_is_sent_again_once_however_often_the_client_had_to_ask() -> None:
    async with scripted(BUSY, CUT, SENT, SENT, CUT, SENT) as server:
        client = connected(server)
        await client.resend_callback("a-run")
        await client.resend_callback("a-run", idempotency_key="mine")
        await client.send_test_callback("http://hook")
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert keys[0] == keys[1] == keys[2]
    assert keys[3] == "mine"
    assert keys[4] == keys[5]
    assert len(set(keys)) == 3


async def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent() -> None:
    client = AsyncBabyChain("http://api", "a key", http=httpx.AsyncClient(transport=httpx.MockTransport(interrupted)))
    with pytest.raises(ValueError, match="idempotency key"):
        await client.run("chain1", {}, idempotency_key="ordré")
    with pytest.raises(ValueError, match="API key") as refused:
        AsyncBabyChain("http://api", "clé secrète")
    assert "secr" not in str(refused.value)


async def test_an_empty_key_is_the_apis_to_refuse_and_not_a_run_without_one() -> None:
    async with scripted(RUN) as server:
        await connected(server).run("chain1", {}, idempotency_key="")
    assert server.requests[0].headers["idempotency-key"] == ""


@pytest.mark.parametrize("strange", [answer(200, {"message": "hello"}), answer(404, "<html>")])
async def test_a_list_of_another_server_is_told_from_the_apis(strange: bytes) -> None:
    async with scripted(strange) as server:
        with pytest.raises(BabyChainError, match=f"{server.url} .*(not the API|is it the API)"):
            async for _ in connected(server).list_runs():
                pass


async def test_what_a_caller_names_leads_nowhere_else() -> None:
    gone = answer(404, {"error": {"code": "run_not_found", "message": "No."}})
    async with scripted(gone, gone, gone) as server:
        client = connected(server)
        for asking in (client.delete(".."), client.state("../keys"), client.model("../keys")):
            with pytest.raises(NotFound):
                await asking
    paths = [request.line.split()[1] for request in server.requests]
    assert paths == ["/api/v1/chains/runs/%2E%2E", "/api/v1/chains/get/..%2Fkeys", "/api/v1/models/%2E%2E/keys"]


async def test_a_watched_stream_is_closed_with_its_watcher() -> None:
    first = event("run", "5", run_data("queued"))
    async with scripted(answer(200, first, kind="text/event-stream", cut=True)) as server:
        run = AsyncRun(connected(server), RunState.read(run_data("queued")))
        async with aclosing(run.stream()) as events:
            assert (await anext(events)).kind == "run"
    assert len(server.requests) == 1


STREAM = "text/event-stream"


@pytest.mark.parametrize(
    "strange",
    [
        answer(200, "<html>", kind="text/html"),
        answer(200, "event: run\ndata: {\n\n", kind=STREAM),
        answer(200, "event: run\ndata: {}\n\n", kind=STREAM),
        answer(200, "event: waiting\ndata: []\n\nevent: run\ndata: []\n\n", kind=STREAM),
    ],
)
async def test_a_stream_of_another_server_is_told_from_the_apis_at_once(strange: bytes) -> None:
    async with scripted(strange) as server:
        with pytest.raises(ConnectionFailed, match=f"{server.url} is not the API") as failed:
            async for _ in connected(server).stream("a-run"):
                pass
    assert failed.value.run_id == "a-run"


async def test_a_run_that_there_is_not_is_not_said_to_go_on() -> None:
    async with scripted(answer(404, {"error": {"code": "run_not_found", "message": "No."}})) as server:
        with pytest.raises(NotFound) as missing:
            await connected(server).wait("a-run")
    assert missing.value.run_id == "a-run"
    assert not hasattr(missing.value, "__notes__")
