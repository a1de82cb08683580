"""The gate as one worker process meets it; several of them are in `tests/e2e/test_provider_gate.py`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.calls import AttemptRef, SubmitStep
from activities.clock import ServerClock
from activities.gate import Entry, Gate
from domain import breaker
from domain.errors import CreditExhausted, InputRejected, Next, ProviderPaused, Refused, StartUnknown, StepError
from domain.media import InputForm
from domain.provider import (
    Accepted,
    CancelOutcome,
    Finished,
    Job,
    JobRequest,
    JobState,
    Notice,
    Pending,
    Succeeded,
    Window,
)
from storage.database import open_database, upgrade
from storage.provider_gate import DisabledModel, ProviderGate, Use

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def call(run: str = "run-1", **more: Any) -> SubmitStep:
    of = AttemptRef(run, "key-test", "step_0", 1, "acme", "acme/clip", "clip")
    return SubmitStep(
        of, {}, (), None, webhook=False, timeout=timedelta(seconds=60), opened=NOON, patient_until=NOON, **more
    )


@dataclass
class Acme:
    """An adapter of which the gate needs one thing: what became of a job."""

    state: JobState = Pending()  # noqa: RUF009  # frozen
    accepts: tuple[InputForm, ...] = ()
    reads: int = 0

    async def status(self, job: Job) -> JobState:
        self.reads += 1
        return self.state

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        raise NotImplementedError

    async def cancel(self, job: Job) -> CancelOutcome:
        raise NotImplementedError

    async def find(self, request: JobRequest, window: Window) -> None:
        raise NotImplementedError

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        raise NotImplementedError


async def at(moment: datetime, act: Callable[[ServerClock], Awaitable[None]], left: float = 600.0) -> None:
    """As an activity that the server started at this moment, and that is patient for so many seconds."""

    async def body() -> None:
        await act(ServerClock(moment + timedelta(seconds=left)))

    env = ActivityEnvironment()
    env.info = replace(env.info, started_time=moment)
    await env.run(body)


async def submit(
    gate: Gate,
    what: SubmitStep,
    moment: datetime = NOON,
    *,
    answer: Accepted | Finished | StepError = Accepted(Job("job-1")),  # noqa: B008  # frozen
    provider: Acme | None = None,
    left: float = 600.0,
) -> None:
    async def act(clock: ServerClock) -> None:
        async with gate.entry(what, provider or Acme(), clock) as entry:
            await _answered(entry, answer)

    await at(moment, act, left)


async def _answered(entry: Entry, answer: Accepted | Finished | StepError) -> None:
    if isinstance(answer, StepError):
        await entry.failed(answer)
        raise answer
    await entry.started(answer)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = f"sqlite:///{tmp_path / 'babychain.db'}"
    await upgrade(url)
    opened = open_database(url)
    yield opened
    await opened.dispose()


@pytest.fixture
def store(engine: AsyncEngine) -> ProviderGate:
    return ProviderGate(engine)


@pytest.fixture
async def silent() -> AsyncIterator[ProviderGate]:
    engine = open_database("postgresql://user:secret@127.0.0.1:9/db")
    yield ProviderGate(engine)
    await engine.dispose()


async def use(store: ProviderGate, moment: datetime = NOON) -> Use:
    return (await store.use(moment)).get("acme", Use())


async def test_a_provider_without_a_limit_that_is_well_leaves_nothing_in_the_database(store: ProviderGate) -> None:
    await submit(Gate(store, {}), call())
    await submit(Gate(store, {}), call(), answer=Finished(()))
    assert not (await store.known()).accounts
    assert not await store.use(NOON)


async def test_an_accepted_job_keeps_its_place_for_what_is_left_of_its_step(store: ProviderGate) -> None:
    await submit(Gate(store, {"acme": 2}), call(life=timedelta(minutes=10)))
    assert await use(store, NOON + timedelta(minutes=9)) == Use(active=1)
    assert await use(store, NOON + timedelta(minutes=11)) == Use()


@pytest.mark.parametrize("answer", [Finished(()), InputRejected("No."), Refused("Down.")])
async def test_whatever_started_nothing_or_is_done_gives_its_place_back_at_once(
    store: ProviderGate, answer: Finished | StepError
) -> None:
    with suppress(StepError):
        await submit(Gate(store, {"acme": 2}), call(), answer=answer)
    assert await use(store) == Use()


async def test_a_start_in_doubt_keeps_its_place_for_a_minute(store: ProviderGate) -> None:
    with pytest.raises(StartUnknown):
        await submit(Gate(store, {"acme": 2}), call(), answer=StartUnknown("Lost."))
    assert await use(store, NOON + timedelta(seconds=50)) == Use(active=1)
    assert await use(store, NOON + timedelta(seconds=70)) == Use()


async def test_a_start_without_a_place_looks_whether_a_job_that_nobody_watches_has_ended(store: ProviderGate) -> None:
    gate, acme = Gate(store, {"acme": 1}), Acme()
    await submit(gate, call("watched-by-nobody"))
    for seconds, reads in ((5, 0), (11, 1), (12, 1)):
        with pytest.raises(Refused):
            await submit(gate, call("next"), NOON + timedelta(seconds=seconds), provider=acme)
        assert acme.reads == reads
    acme.state = Succeeded(())
    with pytest.raises(Refused):
        await submit(gate, call("next"), NOON + timedelta(seconds=30), provider=acme)
    await submit(gate, call("next"), NOON + timedelta(seconds=31), provider=acme)


async def test_where_another_candidate_stands_ready_a_switched_off_model_and_an_outage_are_passed_over(
    store: ProviderGate,
) -> None:
    await store.disable_model(DisabledModel("acme/clip", NOON, "key-1", None))
    with pytest.raises(ProviderPaused) as passed:
        await submit(Gate(store, {}), call(alternatives=True))
    assert (passed.value.next, passed.value.reason) == (Next.NEXT_CANDIDATE, "provider_paused")
    await store.enable_model("acme/clip")
    for _ in range(breaker.OPENS_AFTER):
        with pytest.raises(Refused):
            await submit(Gate(store, {}), call(), answer=Refused("Down.", code="provider_network_error"))
    with pytest.raises(ProviderPaused):
        await submit(Gate(store, {}), call(alternatives=True))
    with pytest.raises(Refused) as waits:
        await submit(Gate(store, {}), call())
    assert waits.value.reason == "provider_network_error"
    assert waits.value.retry_after is not None and waits.value.retry_after > 4


async def test_a_wait_never_goes_beyond_what_the_server_gives_the_step(store: ProviderGate) -> None:
    await store.disable_model(DisabledModel("acme/clip", NOON, "key-1", None))
    with pytest.raises(Refused) as waits:
        await submit(Gate(store, {}), call(), left=3.0)
    assert waits.value.retry_after == pytest.approx(2.0, abs=0.5)


async def test_an_account_without_credit_answers_by_itself_until_a_probe_finds_it_well(store: ProviderGate) -> None:
    gate = Gate(store, {})
    with pytest.raises(CreditExhausted):
        await submit(gate, call(), answer=CreditExhausted("Pay first."))
    with pytest.raises(CreditExhausted, match="nothing was sent") as shut:
        await submit(gate, call(), NOON + timedelta(seconds=30))
    assert shut.value.reason == "provider_quota_exceeded"
    assert shut.value.facts["since"] == "2026-11-21T12:00:00Z"
    await submit(gate, call(), NOON + timedelta(seconds=61))
    assert (await store.known()).account("acme").trouble is None


async def test_without_the_database_a_provider_without_a_limit_goes_on_and_one_with_a_limit_waits(
    silent: ProviderGate,
) -> None:
    await submit(Gate(silent, {}), call())
    with pytest.raises(Refused) as waits:
        await submit(Gate(silent, {"acme": 3}), call())
    assert (waits.value.reason, waits.value.next) == ("database_unreachable", Next.RETRY_HERE)
    assert waits.value.retry_after is not None


async def test_a_database_that_falls_silent_after_a_job_was_accepted_loses_no_job(silent: ProviderGate) -> None:
    async def act(clock: ServerClock) -> None:
        entry = Entry(Gate(silent, {"acme": 3}), call(), clock, probe=True)
        await entry.renew()
        await entry.started(Accepted(Job("job-1")))
        await entry.ended(in_doubt=False)

    await at(NOON, act)
