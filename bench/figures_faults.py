"""Every fault kind of the sandbox, at every provider: whether each run ends as it should, and is paid at most once."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowFailureError

from domain.runs import RunStatus
from tests.support.orders import catalogue
from tests.support.sandbox_server import QUICK
from tests.support.stack import Stack, running_stack
from tests.support.trials import SOON, trial

MODELS = {
    "bfl": "bfl/flux-2-flex",
    "seedream": "bytedance/seedream-4.5",
    "seedance": "bytedance/seedance-1.5-pro",
    "relaydance": "relaydance/seedance-1-5-pro-with-audio",
    "bach": "bach/bach-1.0-preview",
    "bailian": "bailian/wan2.6-i2v",
}
"""One model of each way in which a provider works."""

AT_ONCE = 4
"""Runs of each provider in one deployment: at five failed starts in a row it would stop starting any."""
LONGEST = 90.0
"""A run that has not ended by then hangs."""
OK, UNKNOWN = "succeeded", "start_outcome_unknown"
NOT_COUNTED = "succeeded, and the ledger has no start"
ADOPTED = {"seedream": UNKNOWN, "bailian": UNKNOWN}
"""Neither key, list nor webhook: whoever can't find a lost job again says so, and pays for no second."""


@dataclass(frozen=True)
class Case:
    rule: dict[str, Any]
    outcome: str = OK
    but: dict[str, str] = field(default_factory=dict)
    """Providers of another way, and their outcome."""
    deadline: float = 60.0
    submit_timeout: float | None = None
    always: bool = False
    """It meets every call, not one of each run."""
    passes_by: frozenset[str] = frozenset()
    """Providers that this fault cannot befall."""

    @property
    def name(self) -> str:
        more = [str(self.rule[key]) for key in ("operation", "status", "when", "declared") if key in self.rule]
        return " ".join([self.rule["kind"], *more])


def lost(kind: str, **more: Any) -> Case:
    """The job is made, and its answer comes to nothing."""
    return Case({"kind": kind, "when": "after"} | more, but=ADOPTED)


def unstarted(kind: str, **more: Any) -> Case:
    """Nothing is made, and the answer does not say so: the job is looked for until the step's deadline."""
    return Case({"kind": kind} | more, UNKNOWN, deadline=4.0)


READS: dict[str, dict[str, Any]] = {"status": {"status": 500}} | {
    kind: {} for kind in ("reset", "truncated", "garbage", "html", "wrong_type", "unknown_status")
}
NO_WEBHOOK = frozenset({"seedream", "bailian"})
NO_JOB = frozenset({"seedream"})

CASES: tuple[Case, ...] = (
    *(
        Case({"kind": "status", "status": status}, code)
        for status, code in {
            400: "provider_invalid_request",
            401: "provider_unauthorized",
            402: "provider_quota_exceeded",
            404: "provider_not_found",
        }.items()
    ),
    Case({"kind": "status", "status": 429, "headers": {"retry-after": "1"}}),
    unstarted("status", status=500),
    unstarted("refuse"),
    unstarted("bad_tls"),
    lost("status", status=503),
    lost("reset"),
    Case({"kind": "hang", "when": "after", "seconds": 120.0}, but=ADOPTED, submit_timeout=1.0),
    lost("truncated"),
    lost("truncated", declared="whole"),
    lost("garbage"),
    lost("html"),
    lost("wrong_type"),
    lost("huge"),
    lost("redirect", location="http://127.0.0.1:9/elsewhere"),
    lost("error_in_200"),
    Case({"kind": "no_job_id", "when": "after"}, but=ADOPTED, passes_by=NO_JOB),
    Case({"kind": "echo_key"}, "provider_invalid_request"),
    Case({"kind": "slow", "seconds": 2.0}),
    # ---- the job
    Case({"kind": "moderated"}, "provider_content_moderated"),
    # A picture that is asked for and given in one call fails as HTTP 500, which may mean anything.
    Case({"kind": "failed"}, "provider_failed", but={"seedream": UNKNOWN}),
    Case({"kind": "no_credit"}, "provider_quota_exceeded"),
    Case({"kind": "never_ends"}, "step_running_timed_out", deadline=4.0, passes_by=NO_JOB),
    Case({"kind": "unknown_status"}, "step_running_timed_out", deadline=4.0, passes_by=NO_JOB),
    Case({"kind": "status_back"}, passes_by=NO_JOB),
    Case({"kind": "gone_after_success"}, passes_by=NO_JOB),
    # ---- one read of the job
    *(Case({"kind": kind, "operation": "status", **more}, passes_by=NO_JOB) for kind, more in READS.items()),
    # ---- the webhook
    *(
        Case({"kind": kind}, passes_by=NO_WEBHOOK)
        for kind in ("drop", "double", "late", "early", "forge", "reorder", "bad_signature", "replay")
    ),
    # ---- the file
    Case({"kind": "empty", "operation": "result"}, "provider_output_invalid"),
    # Once, and a look at the job gives a fresh link. This one is dead whenever it is asked for.
    Case({"kind": "expired", "operation": "result"}, "provider_output_expired", always=True),
    *(
        Case({"operation": "result", **rule})
        for rule in ({"kind": "status", "status": 500}, {"kind": "reset"}, {"kind": "truncated", "declared": "whole"})
    ),
)


@dataclass
class Cell:
    """What became of the runs of one fault at one provider."""

    outcomes: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    hanging: int = 0


async def show(
    console: Console,
    client: Client,
    folder: Path,
    *,
    runs: int,
    providers: Collection[str] = (),
    kinds: Collection[str] = (),
) -> bool:
    cases = [case for case in CASES if not kinds or case.rule["kind"] in kinds]
    names = [name for name in MODELS if not providers or name in providers]
    table = Table("fault", "right outcome", *names, title=f"How {runs} runs of each end")
    good, twice, hanging, total = True, 0, 0, 0
    for number, case in enumerate(cases):
        console.print(f"{number + 1} of {len(cases)}: {case.name}", style="dim")
        # What a fault teaches about a provider, such as that its account is empty, must not meet the next.
        cells = {name: Cell() for name in names if name not in case.passes_by}
        for first in range(0, runs, AT_ONCE):
            async with running_stack(client, folder / f"fault-{number}-{first}", config=QUICK) as stack:
                await befall(stack, case, cells, min(AT_ONCE, runs - first))
        table.add_row(case.name, case.outcome, *(_shown(case, name, cells.get(name)) for name in names))
        for name, cell in cells.items():
            good &= set(cell.outcomes) == {expected(case, name)}
            total += cell.outcomes.total() + cell.hanging
            twice, hanging = twice + cell.twice, hanging + cell.hanging
    console.print(table)
    console.print(f"* {UNKNOWN}: neither key, list nor webhook leads back to the job. It is not paid again.")
    different = len({case.rule["kind"] for case in cases})
    console.print(f"{different} fault kinds, {total} runs: {twice} paid twice, {hanging} hanging, no worker crash.\n")
    return good and twice == hanging == 0


def expected(case: Case, provider: str) -> str:
    return case.but.get(provider, case.outcome)


async def befall(stack: Stack, case: Case, cells: Mapping[str, Cell], runs: int) -> None:
    """So many runs of each provider, all at once, each met by the fault."""
    met = list(cells)
    await stack.sandbox.put_faults(
        *(
            case.rule | {"model": catalogue().models[MODELS[name]].raw_id, "count": 10**6 if case.always else runs}
            for name in met
        )
    )
    told = await asyncio.gather(*(_one(stack, case, name) for name in met for _ in range(runs)))
    paid = await _paid(stack)
    for name, (word, outcome) in zip((name for name in met for _ in range(runs)), told, strict=True):
        starts = sum(word in body for body in paid)
        cells[name].twice += starts > 1
        cells[name].hanging += outcome is None
        if outcome is not None:
            cells[name].outcomes[NOT_COUNTED if outcome == OK and starts == 0 else outcome] += 1


async def _one(stack: Stack, case: Case, name: str) -> tuple[str, str | None]:
    """The words that tell its job from others, and how it ended."""
    plan, word = trial(MODELS[name], looks=SOON, deadline=case.deadline, submit_timeout=case.submit_timeout)
    handle = await stack.bench.start(plan)
    try:
        async with asyncio.timeout(LONGEST):
            await handle.result()
    except WorkflowFailureError:
        pass
    except TimeoutError:
        return word, None
    snapshot = await stack.bench.snapshot(plan.run_id)
    if snapshot.status is RunStatus.SUCCEEDED:
        return word, OK
    return word, snapshot.error.code if snapshot.error else str(snapshot.status)


async def _paid(stack: Stack) -> list[str]:
    """The bodies of all submits that started a job."""
    rows = await stack.sandbox.jobs()
    return [json.dumps(row["body"]) for row in rows if row["operation"] == "submit" and row["job_id"] is not None]


def _shown(case: Case, name: str, cell: Cell | None) -> str:
    if cell is None:
        return "-"
    right = expected(case, name)
    mark = "*" if right != case.outcome else ""
    wrong = [f"[red]{count}× {outcome}[/]" for outcome, count in cell.outcomes.items() if outcome != right]
    wrong += [f"[red]{cell.hanging}× hanging[/]"] if cell.hanging else []
    wrong += [f"[red]{cell.twice}× paid twice[/]"] if cell.twice else []
    return ", ".join([f"{cell.outcomes[right]}{mark}", *wrong])
