"""A run's states, one after another, as its history tells them. Needs no worker."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from domain.runs import Snapshot, terminated

_CLOSING = frozenset(
    f"workflow_execution_{how}_event_attributes"
    for how in ("completed", "failed", "canceled", "terminated", "timed_out")
)


@dataclass(frozen=True)
class Change:
    """`id` is the history event's: it rises, and it names the same state for ever."""

    id: int
    snapshot: Snapshot


async def follow(client: Client, run_id: str) -> AsyncGenerator[Change, None]:
    """Every state the run has had, then each new one as it comes; the last is its end.

    The server holds the call while nothing happens. One page of events is held here, and no more is asked for before
    the reader has taken it.
    """
    snapshot: Snapshot | None = None
    async for event in client.get_workflow_handle(run_id).fetch_history_events(wait_new_event=True):
        if (payload := _written(event)) is not None:
            [snapshot] = await client.data_converter.decode([payload], [Snapshot])
        elif event.WhichOneof("attributes") in _CLOSING and snapshot is not None:
            snapshot = terminated(snapshot, event.event_time.ToDatetime(UTC))
        else:
            continue
        if snapshot is None:
            continue
        yield Change(event.event_id, snapshot)
        if snapshot.status.ended:
            return


def _written(event: HistoryEvent) -> Payload | None:
    """The snapshot that an event wrote into the memo."""
    started = event.workflow_execution_started_event_attributes.memo.fields
    upserted = event.workflow_properties_modified_event_attributes.upserted_memo.fields
    return started.get("snapshot") or upserted.get("snapshot")
