"""The API as tools of the Model Context Protocol. Whoever calls the tool that spends must say how much at most."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from babychain_client import AsyncBabyChain, BabyChainError, RunState
from cli.failures import told

Json = dict[str, Any]
T = TypeVar("T")

_ABOUT = """Runs chains of image and video models. Look at `chains` and `models` first; ask `estimate` what a run costs
before `run`; then `get` it until its status is succeeded, failed or canceled. A run goes on when nobody looks."""

Chain = Annotated[str, Field(description="A chain's slug, such as chain1.")]
Input = Annotated[Json, Field(description="Fields of the chain's input, as `chains` shows them.")]
RunId = Annotated[str, Field(description="The run's id.")]
Key = Annotated[
    str | None,
    Field(description="The same key and input are the same run: repeat safely.", pattern="^[A-Za-z0-9_.:-]{1,255}$"),
]

_LOOKS = ToolAnnotations(read_only_hint=True)
_SPENDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False)
_STOPS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)


def server(connect: Callable[[], AsyncBabyChain]) -> MCPServer:
    tools = Tools(connect)
    serving = MCPServer("babychain", instructions=_ABOUT, lifespan=tools.connected)
    for looks in (tools.chains, tools.models, tools.estimate, tools.get):
        serving.tool(annotations=_LOOKS)(looks)
    serving.tool(annotations=_SPENDS)(tools.run)
    serving.tool(annotations=_STOPS)(tools.cancel)
    return serving


class Tools:
    """Names, docstrings and parameters are what an agent gets to read."""

    _client: AsyncBabyChain

    def __init__(self, connect: Callable[[], AsyncBabyChain]) -> None:
        self._connect = connect

    @asynccontextmanager
    async def connected(self, _: MCPServer) -> AsyncIterator[None]:
        async with self._connect() as self._client:
            yield

    async def chains(self) -> Json:
        """The chains that can be run, with their input fields and steps."""
        return {"data": await _answered(self._client.templates())}

    async def models(
        self, name: Annotated[str | None, Field(description="One model, for its parameters.")] = None
    ) -> Json:
        """The models that steps can use; of one model, the JSON Schema of its parameters."""
        if name is not None:
            return await _answered(self._client.model(name))
        return {"data": await _answered(self._client.models())}

    async def estimate(self, chain: Chain, input: Input) -> Json:
        """What a run would cost in US dollars, and every check that a run would get. Nothing is started or spent."""
        return (await _answered(self._client.estimate(chain, input))).data

    async def run(
        self,
        chain: Chain,
        input: Input,
        max_cost: Annotated[float, Field(ge=0, description="US dollars that this run may cost at most.")],
        idempotency_key: Key = None,
        metadata: Annotated[Json | None, Field(description="Comes back with the run.")] = None,
    ) -> Json:
        """Start a run, which spends money. It is refused, unspent, where it might cost more than max_cost."""
        starting = self._client.run(
            chain, input, idempotency_key=idempotency_key, metadata=metadata, max_cost=_dollars(max_cost)
        )
        return (await _answered(starting)).state.data

    async def get(
        self, run_id: RunId, wait: Annotated[float, Field(ge=0, le=60, description="Seconds to wait for its end.")] = 0
    ) -> Json:
        """A run as it is now: its status, its steps, what it has cost, and the addresses of its files."""
        return (await _answered(_state(self._client, run_id, wait))).data

    async def cancel(self, run_id: RunId) -> Json:
        """Stop a run. What its providers have begun may still be billed; each step says what became of its job."""
        return (await _answered(self._client.cancel(run_id))).data


async def _state(client: AsyncBabyChain, run_id: str, wait: float) -> RunState:
    try:
        return await client.wait(run_id, wait) if wait else await client.state(run_id)
    except TimeoutError:
        return await client.state(run_id)


async def _answered(work: Awaitable[T]) -> T:
    try:
        return await work
    except BabyChainError as error:
        raise ToolError(told(error)) from error


def _dollars(amount: float) -> str:
    """Without an exponent, as the API reads amounts; to the millionth."""
    return f"{amount:.6f}"
