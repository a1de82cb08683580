"""The measurements. Ours and the floor take turns, so that a busy machine slows down both."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench.processes import Program
from bench.stack import Stack, System, create_body
from cli.failures import CommandFailed

_LONGEST_RUN = 60.0
_PAUSE = 0.1
"""Between two runs: what a system still does after its callback must not meet the other's run."""


@dataclass(frozen=True)
class RunTimes:
    """One run, seen from outside. Times are wall-clock seconds; all processes share one clock."""

    run_id: str
    sent: float
    called_back: float
    jobs: tuple[tuple[float, float], ...]

    @property
    def overhead(self) -> float:
        return self.called_back - self.sent - sum(end - start for start, end in self.jobs)


@dataclass
class Burst:
    """Many runs at once. CPU seconds are by program, for all runs together."""

    runs: int = 0
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)


async def one_at_a_time(stack: Stack, runs: int, warm_ups: int = 5) -> dict[str, list[RunTimes]]:
    times: dict[str, list[RunTimes]] = {"ours": [], "floor": []}
    for number in range(-warm_ups, runs):
        for system in (stack.ours, stack.floor):
            run = await _one_run(stack, system)
            if number >= 0:
                times[system.name].append(run)
            await asyncio.sleep(_PAUSE)
    return times


async def bursts(stack: Stack, workers: dict[str, Program], rounds: int, runs: int, in_flight: int) -> dict[str, Burst]:
    found = {"ours": Burst(), "floor": Burst()}
    for _ in range(rounds):
        for system in (stack.ours, stack.floor):
            programs = {
                "api": system.api,
                "worker": workers[system.name],
                "temporal": stack.temporal,
                "sandbox": stack.sandbox,
            }
            await _burst(stack, system, programs, runs, in_flight, found[system.name])
    return found


async def calls(call: Callable[[], Awaitable[object]], count: int, warm_ups: int = 20) -> list[float]:
    """Seconds of each of many equal calls, one after another."""
    times = []
    for number in range(-warm_ups, count):
        began = time.perf_counter()
        await call()
        if number >= 0:
            times.append(time.perf_counter() - began)
    return times


async def create(system: System, callback_url: str) -> str:
    answer = await system.http.post(system.create_path, json=create_body(callback_url))
    return str(answer.raise_for_status().json()["id"])


async def _one_run(stack: Stack, system: System) -> RunTimes:
    await stack.sandbox_http.delete("/_sandbox/jobs")
    sent, run_id, called_back = await _run(stack, system)
    jobs = (await stack.sandbox_http.get("/_sandbox/jobs")).json()
    return RunTimes(run_id, sent, called_back, _job_times(jobs))


def _job_times(rows: Sequence[dict[str, Any]]) -> tuple[tuple[float, float], ...]:
    """From the moment the provider has our request to the job's end: `started` comes only after its time in a queue,
    which is the provider's as well."""
    return tuple((_moment(row["times"]["received"]), _moment(row["times"]["ended"])) for row in rows)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def _run(stack: Stack, system: System) -> tuple[float, str, float]:
    url, called_back = stack.receiver.expect()
    sent = time.time()
    run_id = await create(system, url)
    try:
        async with asyncio.timeout(_LONGEST_RUN):
            return sent, run_id, await called_back
    except TimeoutError:
        raise CommandFailed(f"A run of {system.name} was not called back within {_LONGEST_RUN:.0f} s.") from None


async def _burst(
    stack: Stack, system: System, programs: dict[str, Program], runs: int, in_flight: int, burst: Burst
) -> None:
    before = {name: program.cpu_seconds() for name, program in programs.items()}
    began = time.perf_counter()
    left = iter(range(runs))

    async def keep_one_in_flight() -> None:
        for _ in left:
            await _run(stack, system)

    await asyncio.gather(*(keep_one_in_flight() for _ in range(in_flight)))
    burst.seconds += time.perf_counter() - began
    burst.runs += runs
    # The last runs' workflows close after their callbacks; that work belongs to them.
    await asyncio.sleep(1.0)
    for name, program in programs.items():
        now, then = program.cpu_seconds(), before[name]
        if now is not None and then is not None:
            burst.cpu[name] = burst.cpu.get(name, 0.0) + now - then
