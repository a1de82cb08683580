"""Where the time of a run goes: its history, the sandbox's ledger and our own clock, laid on one line of time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory

from bench.measure import RunTimes
from temporal.names import after_run_id

JOB = "the provider's job"


@dataclass(frozen=True)
class Mark:
    """A moment of a run. `kind` names what the time before it was spent on."""

    at: float
    what: str
    kind: str


@dataclass(frozen=True)
class Stretch:
    """The time between two marks, in seconds."""

    what: str
    kind: str
    since_start: float
    seconds: float


@dataclass(frozen=True)
class Spent:
    kind: str
    times: float
    seconds: float


async def stretches_of(client: Client, run: RunTimes, *, has_after_run: bool) -> list[Stretch]:
    marks = list(_history_marks("", await _history(client, run.run_id)))
    if has_after_run:
        after = list(_history_marks("after-run: ", await _history(client, after_run_id(run.run_id))))
        # What the run itself does once its child lives happens beside the child, and nobody waits for it.
        marks = [mark for mark in marks if mark.at < after[0].at] + after
    for number, (start, end) in enumerate(run.jobs, start=1):
        marks.append(Mark(start, f"job {number} is at the provider", _up_to("provider")))
        marks.append(Mark(end, f"job {number} has ended", JOB))
    marks = [mark for mark in marks if mark.at < run.called_back]
    marks.append(Mark(run.called_back, "callback received", _up_to("receiver")))
    return list(_between(run, sorted(marks, key=lambda mark: mark.at)))


def by_kind(runs: list[list[Stretch]]) -> list[Spent]:
    """The median over the runs of what each of them spent on a kind, the longest first."""
    kinds = {stretch.kind for run in runs for stretch in run}
    spent = []
    for kind in kinds:
        of_kind = [[stretch.seconds for stretch in run if stretch.kind == kind] for run in runs]
        spent.append(Spent(kind, median(map(len, of_kind)), median(map(sum, of_kind))))
    return sorted(spent, key=lambda one: one.seconds, reverse=True)


def _between(run: RunTimes, marks: list[Mark]) -> Iterator[Stretch]:
    before = run.sent
    for mark in marks:
        # Whatever we do while a job runs costs the caller nothing.
        is_covered = any(start <= before and mark.at <= end for start, end in run.jobs)
        yield Stretch(mark.what, JOB if is_covered else mark.kind, mark.at - run.sent, mark.at - before)
        before = mark.at


async def _history(client: Client, workflow_id: str) -> WorkflowHistory:
    return await client.get_workflow_handle(workflow_id).fetch_history()


def _history_marks(prefix: str, history: WorkflowHistory) -> Iterator[Mark]:
    activities = dict(_activities(history.events))
    number = 0
    for event in history.events:
        at = event.event_time.ToNanoseconds() / 1e9
        match event.WhichOneof("attributes"):
            case "workflow_execution_started_event_attributes":
                kind = "child workflow start" if prefix else "create, up to the workflow's start"
                yield Mark(at, prefix + "workflow started", kind)
            case "workflow_task_started_event_attributes":
                number += 1
                yield Mark(at, f"{prefix}workflow task {number} started", "workflow task, from due to its worker")
            case "workflow_task_completed_event_attributes":
                yield Mark(at, f"{prefix}workflow task {number} done", "workflow task, at the worker")
            case "activity_task_started_event_attributes":
                name = activities[event.activity_task_started_event_attributes.scheduled_event_id]
                yield Mark(at, f"{prefix}{name} started", "activity, from due to its worker")
            case "activity_task_completed_event_attributes":
                name = activities[event.activity_task_completed_event_attributes.scheduled_event_id]
                yield Mark(at, f"{prefix}{name} done", f"activity {name.rpartition('.')[2]}, to its end")
            case "workflow_execution_signaled_event_attributes":
                yield Mark(at, f"{prefix}signal", "webhook, up to its signal")


def _activities(events: Iterable[HistoryEvent]) -> Iterator[tuple[int, str]]:
    for event in events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            step, _, rest = scheduled.activity_id.partition(".")
            name = scheduled.activity_type.name
            yield event.event_id, f"{step}.{name}" if rest and step != name else name


def _up_to(whom: str) -> str:
    return f"activity, up to the {whom}"
