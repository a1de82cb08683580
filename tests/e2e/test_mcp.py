"""The MCP server as an agent meets it: a process of its own, spoken to by the protocol's reference client."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from tests.support.bodies import drawn
from tests.support.command_line import Caller, caller_environment
from tests.support.processes import ROOT
from tests.support.service import Service


@asynccontextmanager
async def agent(service: Service, folder: Path) -> AsyncIterator[Client]:
    env = caller_environment(str(service.api.base_url), folder)
    command = StdioServerParameters(command=sys.executable, args=["-m", "cli", "mcp"], env=env, cwd=ROOT)
    async with Client(command) as client:
        yield client


async def told(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    assert answer.structured_content is not None
    return dict(answer.structured_content)


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    return str(answer.content)


async def test_an_agent_estimates_runs_and_gets(service: Service, tmp_path: Path) -> None:
    async with agent(service, tmp_path) as client:
        chains = await told(client, "chains")
        assert "chain1" in [chain["slug"] for chain in chains["data"]]
        asked = {"chain": "chain1", "input": drawn("by an agent")["input"]}
        estimate = await told(client, "estimate", **asked)
        high = float(estimate["estimate"]["high"])
        run = await told(client, "run", **asked, max_cost=high)
        ended = await told(client, "get", run_id=run["id"], wait=60)
        assert ended == await service.get(run["id"])
        assert ended["status"] == "succeeded"
        assert (await told(client, "cancel", run_id=run["id"]))["status"] == "succeeded"


async def test_nothing_is_spent_without_a_limit_or_over_it(service: Service, tmp_path: Path) -> None:
    async with agent(service, tmp_path) as client:
        [run] = [tool for tool in (await client.list_tools()).tools if tool.name == "run"]
        assert "max_cost" in run.input_schema["required"]
        asked = {"chain": "chain1", "input": drawn("never by an agent")["input"]}
        assert "max_cost" in await refused(client, "run", **asked)
        assert "max_cost" in await refused(client, "run", **asked, max_cost=0.000001)
        assert await service.submits(prompt="never by an agent") == []
        assert "run_not_found" in await refused(client, "get", run_id="00000000-0000-4000-8000-000000000000")


async def test_without_a_key_nothing_is_served_and_the_remedy_is_one_line(tmp_path: Path) -> None:
    said = await Caller(caller_environment("", tmp_path, key="")).babychain("mcp")
    assert said.code == 1
    assert said.err.splitlines() == ["babychain: Set BABYCHAIN_API_KEY to your key; `babychain keys create` makes one."]


async def test_an_agent_is_told_what_to_try_next(service: Service, tmp_path: Path) -> None:
    async with agent(service, tmp_path) as client:
        asked = {"chain": "chain1", "input": drawn("too dear")["input"]}
        assert "→ Raise max_cost." in await refused(client, "run", **asked, max_cost=0.000001)
        assert "idempotency_key" in await refused(client, "run", **asked, max_cost=5, idempotency_key="clé")


async def test_ctrl_c_ends_the_server_in_a_terminal(tmp_path: Path) -> None:
    process = await Caller(caller_environment("", tmp_path)).start("mcp")
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
        process.stdin.write(json.dumps(hello).encode() + b"\n")
        assert b"babychain" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            assert await process.wait() == -signal.SIGINT
    finally:
        if process.returncode is None:
            process.kill()
