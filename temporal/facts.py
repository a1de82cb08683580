"""What the server has on its list for a run, in the project's own words."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from domain.waiting import Facts, PendingWork


def facts_of(description: DescribeWorkflowExecutionResponse) -> Facts:
    return Facts(
        work=tuple(_work(activity) for activity in description.pending_activities),
        decision_due=_decision_due(description),
    )


def _decision_due(description: DescribeWorkflowExecutionResponse) -> datetime | None:
    task = description.pending_workflow_task
    waits = task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
    return _moment(task.scheduled_time) if waits else None


def _work(activity: PendingActivityInfo) -> PendingWork:
    failure = activity.last_failure
    # With payload encryption the message is encrypted too, and something else stands in its place.
    message = "" if failure.HasField("encoded_attributes") else failure.message
    return PendingWork(
        name=activity.activity_type.name,
        since=_moment(activity.scheduled_time) or datetime.now(UTC),
        is_running=activity.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
        tries=activity.attempt,
        failure=failure.application_failure_info.type or None,
        message=message,
        next_try=_moment(activity.next_attempt_schedule_time),
    )


def _moment(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(UTC) if stamp.seconds else None
