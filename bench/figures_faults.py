"""Every fault kind of the sandbox, at every provider: whether each run ends as it should, and is paid at most once."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowFailureError

import providers as adapters
from bench.figures_cases import CASES, DEPLOYMENTS, OK, SUBJECTS, UNKNOWN, Case, Subject
from domain.runs import AttemptOutcome, RunStatus, Snapshot
from tests.support.orders import catalogue
from tests.support.sandbox_server import QUICK
from tests.support.serving import free_port
from tests.support.stack import Stack, running_babysea_stack, running_stack
from tests.support.trials import SOON, trial

AT_ONCE = 4
"""Runs of each provider in one deployment: at five failed starts in a row it would stop starting any."""
LONGEST = 240.0
"""A run that has not ended by then hangs."""
NOT_COUNTED = "succeeded, and the ledger has no start"
OVER_FOR_NOTHING = frozenset({"failed", "moderated", "cancelled", "expired"})
"""Ends of a job that nobody is charged for."""


@dataclass
class Cell:
    """What became of the runs of one fault at one provider."""

    outcomes: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    hanging: int = 0
    guessed: int = 0
    """Runs that started another model after a start whose outcome nobody knew."""

    @property
    def is_safe(self) -> bool:
        return self.twice == self.hanging == self.guessed == 0


@dataclass(frozen=True)
class Told:
    word: str
    """By which the ledger tells its jobs from those of other runs."""
    outcome: str | None
    guessed: bool = False


async def show(
    console: Console,
    client: Client,
    folder: Path,
    *,
    runs: int,
    providers: Collection[str] = (),
    kinds: Collection[str] = (),
    listed: bool = False,
) -> bool:
    """`listed`: another provider's model may do the step, if the first can't."""
    cases = [case for case in CASES if not kinds or case.rule["kind"] in kinds]
    names = [name for name in SUBJECTS if not providers or name in providers]
    another = ", with a model of another provider after the first" if listed else ""
    table = Table("fault", "right outcome", *names, title=f"How {runs} runs of each end{another}")
    good, twice, hanging, total = True, 0, 0, 0
    for number, case in enumerate(cases):
        console.print(f"{number + 1} of {len(cases)}: {case.name}", style="dim")
        cells = {name: Cell() for name in names if name not in case.passes_by}
        for first in range(0, runs, AT_ONCE):
            await _befall_all(
                client, folder / f"{number}-{first}-{listed}", case, cells, min(AT_ONCE, runs - first), listed=listed
            )
        table.add_row(case.name, case.outcome, *(_shown(case, name, cells.get(name), listed=listed) for name in names))
        for name, cell in cells.items():
            good &= set(cell.outcomes) == {case.expected(name, listed=listed)} and cell.is_safe
            total += cell.outcomes.total() + cell.hanging
            twice, hanging = twice + cell.twice, hanging + cell.hanging
    console.print(table)
    _explain(console, listed=listed)
    different = len({case.rule["kind"] for case in cases})
    console.print(f"{different} fault kinds, {total} runs: {twice} paid twice, {hanging} hanging, no worker crash.\n")
    return good


def _explain(console: Console, *, listed: bool) -> None:
    if not listed:
        console.print(
            f"* {UNKNOWN} where neither key, list nor webhook leads back to the job, which is not paid again;"
        )
        console.print("  the same key again at BabySea. Bach says no under HTTP 200, and is believed.")
        return
    console.print("* Another end than the first model's own: the other one did the step, after a certain failure.")
    console.print("$ The first was paid for a file that is none, and the other was paid as well.")


async def _befall_all(
    client: Client, folder: Path, case: Case, cells: Mapping[str, Cell], runs: int, *, listed: bool
) -> None:
    """What a fault teaches about a provider, such as that its account is empty, must not meet the next fault."""
    async with AsyncExitStack() as resources:
        # One after another: a deployment prepares its database, which a process can't do twice at a time.
        there: list[tuple[Stack, Mapping[str, Subject]]] = []
        for number, every in enumerate(DEPLOYMENTS):
            met = {name: subject for name, subject in every.items() if name in cells}
            if met:
                stack = await _deploy(client, folder / str(number), case, met, resources)
                there.append((stack, met))
        await asyncio.gather(*(_befall(stack, case, met, cells, runs, listed=listed) for stack, met in there))


async def _deploy(
    client: Client, folder: Path, case: Case, met: Mapping[str, Subject], resources: AsyncExitStack
) -> Stack:
    port = free_port()
    elsewhere = f"{case.misleads}://127.0.0.1:{port}" if case.misleads else None
    config = replace(QUICK, second_port=port)
    if any(subject.mode == "babysea" for subject in met.values()):
        running = running_babysea_stack(client, folder, config=config, base_url=elsewhere)
    elif elsewhere is None:
        running = running_stack(client, folder, config=config)
    else:
        accounts = {catalogue().models[subject.model].provider for subject in met.values()}
        told = {
            module.KEY_NAME.replace("_API_KEY", "_API_BASE_URL"): f"{elsewhere}/{module.NAME}"
            for module in adapters.modules()
            if module.NAME in accounts
        }
        running = running_stack(client, folder, config=config, told=told, trusted_origins=elsewhere)
    return await resources.enter_async_context(running)


async def _befall(
    stack: Stack, case: Case, met: Mapping[str, Subject], cells: Mapping[str, Cell], runs: int, *, listed: bool
) -> None:
    """So many runs of each provider, all at once, each met by the fault."""
    await stack.sandbox.put_faults(
        *(
            case.rule
            | {
                "model": catalogue(subject.mode).models[subject.model].raw_id,
                "count": 10**6 if case.always else runs,
            }
            for subject in met.values()
        )
    )
    names = [name for name in met for _ in range(runs)]
    all_told = await asyncio.gather(*(_one(stack, case, name, listed=listed) for name in names))
    paid = await _paid(stack, listed=listed)
    for name, told in zip(names, all_told, strict=True):
        starts, cell = sum(told.word in body for body in paid), cells[name]
        cell.twice += starts > (2 if listed and case.is_paid_for_nothing(name) else 1)
        cell.guessed += told.guessed
        cell.hanging += told.outcome is None
        if told.outcome is not None:
            cell.outcomes[NOT_COUNTED if told.outcome == OK and starts == 0 else told.outcome] += 1


async def _one(stack: Stack, case: Case, name: str, *, listed: bool) -> Told:
    subject = SUBJECTS[name]
    plan, word = trial(
        subject.model,
        then=subject.then if listed else None,
        draws=subject.draws,
        mode=subject.mode,
        looks=SOON,
        deadline=case.deadline_at(name),
        submit_timeout=case.submit_timeout,
    )
    handle = await stack.bench.start(plan)
    try:
        async with asyncio.timeout(LONGEST):
            await handle.result()
    except WorkflowFailureError:
        pass
    except TimeoutError:
        return Told(word, None)
    return _told(word, await stack.bench.snapshot(plan.run_id))


def _told(word: str, snapshot: Snapshot) -> Told:
    *before, last = snapshot.steps
    guessed = any(attempt.outcome is AttemptOutcome.UNKNOWN for attempt in last.attempts[:-1])
    if snapshot.status is RunStatus.SUCCEEDED:
        return Told(word, OK, guessed)
    code = snapshot.error.code if snapshot.error else str(snapshot.status)
    # The fault is meant for the last step; whoever draws its picture is in no trouble.
    return Told(word, f"{code}, before its turn" if any(step.error for step in before) else code, guessed)


async def _paid(stack: Stack, *, listed: bool) -> list[str]:
    """The bodies of all submits that started a job; in a list, of those whose job lives or is charged for."""
    return [
        json.dumps(row["body"])
        for row in await stack.sandbox.jobs()
        if row["operation"] == "submit"
        and row["job_id"] is not None
        and not (listed and row["state"] in OVER_FOR_NOTHING and not row["charged"])
    ]


def _shown(case: Case, name: str, cell: Cell | None, *, listed: bool) -> str:
    if cell is None:
        return "-"
    right = case.expected(name, listed=listed)
    mark = "*" if right != case.outcome else ""
    mark += "$" if listed and case.is_paid_for_nothing(name) else ""
    wrong = [f"[red]{count}× {outcome}[/]" for outcome, count in cell.outcomes.items() if outcome != right]
    wrong += [f"[red]{cell.hanging}× hanging[/]"] if cell.hanging else []
    wrong += [f"[red]{cell.twice}× paid twice[/]"] if cell.twice else []
    wrong += [f"[red]{cell.guessed}× moved on from an unknown start[/]"] if cell.guessed else []
    return ", ".join([f"{cell.outcomes[right]}{mark}", *wrong])
