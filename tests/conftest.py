"""Servers that suites share: a real Temporal dev server, and the time-skipping one. And what a hanging test says."""

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from temporal.connection import DATA_CONVERTER, add_search_attributes, search_attribute_types
from tests.support.hanging import unfinished_tasks
from tests.support.temporal_server import running_temporal

TEST_SERVER = Path(__file__).parent.parent / "tools" / "testserver" / "temporal-test-server"


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[Client]:
    """A real server of this test process alone, tuned as ours is."""
    async with running_temporal() as client:
        yield client


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """Time passes as fast as the workflows let it.

    One server a test: an abandoned child that outlives its parent, as `after-run` does, leaves this server's clock
    stopped for whatever comes next.
    """
    if shutil.which("java") is None or not (TEST_SERVER.parent / "lib").is_dir():
        pytest.skip("needs Java and the test server: apt-get install default-jre-headless maven && make testserver")
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER),
        data_converter=DATA_CONVERTER,
        test_server_startup_timeout=timedelta(seconds=60),
    ) as env:
        await add_search_attributes(env.client, search_attribute_types())
        yield env


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    try:
        yield
    except pytest.fail.Exception as failure:
        if "pytest-timeout" in str(failure):
            item.add_report_section("call", "tasks that had not ended", unfinished_tasks())
        raise
