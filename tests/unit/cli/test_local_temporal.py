"""A real server of our own, and what `setup` does to it."""

from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from cli.failures import CommandFailed
from cli.local_temporal import local_temporal, server_part, wait_until_serving
from cli.processes import PartEnded
from cli.setup import RETENTION, prepare
from settings import Settings
from temporal.connection import missing_search_attributes
from tests.support.serving import free_port

SECRETS = {
    "BABYCHAIN_SECRET": "a-secret-of-sixteen",
    "BABYCHAIN_API_KEY": "bchn_unit_tests",
    "BABYCHAIN_CALLBACK_SECRET": "callback-secret",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in (SECRETS | {"BABYCHAIN_DATA_DIR": str(tmp_path / "data")}).items():
        monkeypatch.setenv(name, value)
    return Settings.load()


@pytest.mark.parametrize("namespace", ["default", "elsewhere"])
async def test_setup_prepares_namespace_attributes_and_tables_and_a_repeat_changes_nothing(
    namespace: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with local_temporal(free_port(), db=tmp_path / "temporal.db") as address:
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        monkeypatch.setenv("TEMPORAL_NAMESPACE", namespace)
        said: list[str] = []
        await prepare(settings, said.append)
        client = await Client.connect(address, namespace=namespace)
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
        assert described.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION
        assert await missing_search_attributes(client) == []
        assert (tmp_path / "data" / "babychain.db").exists()
        said.clear()
        await prepare(settings, said.append)
        assert said == [
            f"Namespace {namespace}: there; ended runs stay in Temporal for 72 h.",
            "Search attributes: all there.",
            "Schedule: a sweep every 60 s.",
            "Database: the tables are up to date.",
        ]


async def test_another_server_on_the_port_is_not_mistaken_for_ours() -> None:
    port = free_port()
    async with local_temporal(port):
        with pytest.raises(CommandFailed, match=f"Port {port} "):
            await local_temporal(port).__aenter__()


async def test_a_server_that_can_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(PartEnded, match="temporal ended with exit code 1") as caught:
        await local_temporal(free_port(), db=tmp_path / "no such folder" / "temporal.db").__aenter__()
    assert any("no such folder" in line for line in caught.value.details)


async def test_waiting_for_a_server_that_is_not_there_ends() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(CommandFailed, match=rf"Temporal at {address} did not answer within 0 s"):
        await wait_until_serving(await Client.connect(address, lazy=True), address, within=0.3)


def test_without_a_page_and_a_file_the_server_is_a_passing_one() -> None:
    command = server_part(Path("temporal"), port=7233).command
    assert "--headless" in command
    assert "--db-filename" not in command
