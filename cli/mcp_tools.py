"""The API as tools of the Model Context Protocol. Whoever calls the tool that spends must say how much at most."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from babychain_client import AsyncBabyChain, BabyChainError, RunState

Json = dict[str, Any]
T = TypeVar("T")

_ABOUT = """Runs chains of image and video models. Look at `chains` and `models` first; ask `estimate` what a run costs
before `run`; then `get` it until its status is succeeded, failed or canceled. A run goes on when nobody looks."""

Chain = Annotated[str, Field(description="A chain's slug, such as chain1.")]
Input = Annotated[Json, Field(description="Fields of the chain's input, as `chains` shows them.")]
RunId = Annotated[str, Field(description="The run's id.")]

_LOOKS = ToolAnnotations(read_only_hint=True)
_SPENDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False)
_STOPS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)


def server(connect: Callable[[], AsyncBabyChain]) -> MCPServer:
    client: AsyncBabyChain

    @asynccontextmanager
    async def connected(_: MCPServer) -> AsyncIterator[None]:
        nonlocal client
        async with connect() as client:
            yield

    serving = MCPServer("babychain", instructions=_ABOUT, lifespan=connected)

    @serving.tool(annotations=_LOOKS)
    async def chains() -> Json:
        """The chains that can be run, with their input fields and steps."""
        return {"data": await _told(client.templates())}

    @serving.tool(annotations=_LOOKS)
    async def models(name: Annotated[str | None, Field(description="One model, for its parameters.")] = None) -> Json:
        """The models that steps can use; of one model, the JSON Schema of its parameters."""
        return {"data": await _told(client.models())} if name is None else await _told(client.model(name))

    @serving.tool(annotations=_LOOKS)
    async def estimate(chain: Chain, input: Input) -> Json:
        """What a run would cost in US dollars, and every check that a run would get. Nothing is started or spent."""
        return (await _told(client.estimate(chain, input))).data

    @serving.tool(annotations=_SPENDS)
    async def run(
        chain: Chain,
        input: Input,
        max_cost: Annotated[float, Field(ge=0, description="US dollars that this run may cost at most.")],
        idempotency_key: Annotated[
            str | None, Field(description="The same key and input are the same run: repeat safely.")
        ] = None,
        metadata: Annotated[Json | None, Field(description="Comes back with the run.")] = None,
    ) -> Json:
        """Start a run, which spends money. It is refused, unspent, where it might cost more than max_cost."""
        starting = client.run(
            chain, input, idempotency_key=idempotency_key, metadata=metadata, max_cost=_dollars(max_cost)
        )
        return (await _told(starting)).state.data

    @serving.tool(annotations=_LOOKS)
    async def get(
        run_id: RunId, wait: Annotated[float, Field(ge=0, le=60, description="Seconds to wait for its end.")] = 0
    ) -> Json:
        """A run as it is now: its status, its steps, what it has cost, and the addresses of its files."""
        return (await _told(_state(client, run_id, wait))).data

    @serving.tool(annotations=_STOPS)
    async def cancel(run_id: RunId) -> Json:
        """Stop a run. What its providers have begun may still be billed; each step says what became of its job."""
        return (await _told(client.cancel(run_id))).data

    return serving


async def _state(client: AsyncBabyChain, run_id: str, wait: float) -> RunState:
    try:
        return await client.wait(run_id, wait) if wait else await client.state(run_id)
    except TimeoutError:
        return await client.state(run_id)


async def _told(work: Awaitable[T]) -> T:
    try:
        return await work
    except BabyChainError as error:
        raise ToolError(str(error)) from error


def _dollars(amount: float) -> str:
    """Without an exponent, as the API reads amounts; to the millionth."""
    return f"{amount:.6f}"
