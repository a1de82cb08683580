"""What happened in a run, read from its history."""

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory


async def history_of(client: Client, run_id: str) -> WorkflowHistory:
    return await client.get_workflow_handle(run_id).fetch_history()


def of_type(history: WorkflowHistory, kind: EventType.ValueType) -> list[HistoryEvent]:
    return [event for event in history.events if event.event_type == kind]


def signals(history: WorkflowHistory) -> list[HistoryEvent]:
    return of_type(history, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)


def activities(history: WorkflowHistory) -> list[str]:
    """Names of the activities in the order in which the workflow asked for them."""
    scheduled = of_type(history, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    return [event.activity_task_scheduled_event_attributes.activity_type.name for event in scheduled]


def starts(history: WorkflowHistory, activity_id: str) -> list[HistoryEvent]:
    """The recorded starts of an activity. A retried one has a single record, of its last attempt."""
    ids = {
        event.event_id
        for event in of_type(history, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
        if event.activity_task_scheduled_event_attributes.activity_id == activity_id
    }
    return [
        event
        for event in of_type(history, EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
        if event.activity_task_started_event_attributes.scheduled_event_id in ids
    ]
