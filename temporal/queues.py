"""A task queue as an operator looks at it: who works on it, and what waits."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

_RPC = timedelta(seconds=3)


@dataclass(frozen=True)
class Queue:
    pollers: dict[str, datetime]
    """When each worker last asked, by its identity."""
    waiting: int
    """Tasks that no worker has taken, as far as the server counts."""
    longest_wait: timedelta


async def queue_of(client: Client, name: str, kind: TaskQueueType.ValueType) -> Queue:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind, report_stats=True
        ),
        timeout=_RPC,
    )
    return Queue(
        {poller.identity: poller.last_access_time.ToDatetime(UTC) for poller in answer.pollers},
        answer.stats.approximate_backlog_count,
        answer.stats.approximate_backlog_age.ToTimedelta(),
    )
