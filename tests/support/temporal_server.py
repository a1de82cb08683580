"""A real Temporal server of one's own, tuned as ours is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from cli.local_temporal import TUNING, find_temporal
from temporal.connection import DATA_CONVERTER
from temporal.names import SEARCH_ATTRIBUTES


@asynccontextmanager
async def running_temporal(**more: Any) -> AsyncIterator[Client]:
    chosen: dict[str, Any] = {"dev_server_log_level": "error"} | more
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(find_temporal()),
        search_attributes=list(SEARCH_ATTRIBUTES),
        dev_server_extra_args=list(TUNING),
        data_converter=DATA_CONVERTER,
        **chosen,
    ) as env:
        yield env.client
