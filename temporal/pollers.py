"""Whether any worker asks for work."""

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

SEEN_WITHIN = timedelta(seconds=70)
"""Pollers ask again at least once a minute."""


async def is_polled(client: Client, task_queue: str) -> bool:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        ),
        timeout=timedelta(seconds=3),
    )
    since = datetime.now(UTC) - SEEN_WITHIN
    return any(poller.last_access_time.ToDatetime(UTC) >= since for poller in answer.pollers)
