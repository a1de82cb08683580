"""`babychain run` and `babychain estimate`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from babychain_client import AsyncBabyChain, Estimate, RunState
from cli.each import Batch, run_each
from cli.failures import Exit, Misused, exit_of_run
from cli.following import telling, watched
from cli.orders import Json, Order
from cli.prices import MORE, most
from cli.session import connect, connect_async
from cli.showing import AsJson, Folder, Seconds, console, show_end, show_json, show_table
from cli.signals import run as run_to_end

_NO_ORDER = Order()


def run(
    chain: str,
    /,
    order: Order = _NO_ORDER,
    *,
    watch: Annotated[bool, Parameter(alias="-w", negative="", show_default=False)] = False,
    wait: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    timeout: Seconds = None,
    download: Annotated[Folder, Parameter(alias="-d")] = None,
    idempotency_key: str | None = None,
    each: Path | None = None,
    batch: str = "",
    parallel: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 8,
    yes: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    as_json: AsJson = False,
) -> int:
    """Start a run. Without --watch, --wait or --download the answer is its id at once.

    Parameters
    ----------
    chain
        Which chain; `babychain templates` shows them.
    watch
        Draw how it goes until it ends.
    wait
        Say nothing until it ends.
    timeout
        Seconds to stay with it at most. The run goes on after that.
    download
        A folder for all files that it makes; waits for the end.
    idempotency_key
        The same key and request are the same run, however often it is started.
    each
        A file with a request on every line, as JSON: one run for each, after the total has been shown. Start it again
        to go on where it was stopped; no line is run twice.
    batch
        A name for these runs of the lines; another name runs them anew.
    parallel
        How many lines at once.
    yes
        Do not ask before starting the lines.
    as_json
        Print JSON; with --watch one line for each event; the last, `ended`, carries the run.
    """
    if each is not None and (watch or timeout is not None or idempotency_key is not None):
        raise Misused("--each goes with none of --watch, --timeout and --idempotency-key.")
    with connect() as client:
        body = order.body(client, chain)
    if each is not None:
        lines = Batch(chain, each, batch, parallel, download, yes=yes, as_json=as_json)
        return run_to_end(run_each(lines, body))
    staying = watch or wait or download is not None

    async def work() -> int:
        async with connect_async() as client:
            started = await client.run(chain, idempotency_key=idempotency_key, **body)
            if not staying:
                _say_started(started.state, as_json=as_json)
                return Exit.DONE
            if not as_json:
                console().print(f"Run {started.id} of {chain}", markup=False)
            ended = await _stay(client, started.id, watch=watch, timeout=timeout, as_json=as_json)
            # What a failed run has made is fetched too: it was paid for.
            files = await client.download(ended, download) if download else []
            show_end(ended, files, as_json=as_json, streamed=watch)
            return exit_of_run(ended)

    return run_to_end(telling(work()))


def estimate(chain: str, /, order: Order = _NO_ORDER, *, as_json: AsJson = False) -> int:
    """Show what such a run would cost and do. Nothing is started.

    Parameters
    ----------
    chain
        Which chain; `babychain templates` shows them.
    as_json
        Print JSON, with the very requests that providers would get.
    """
    with connect() as client:
        found = client.estimate(chain, **order.body(client, chain))
    if as_json:
        show_json(found.data)
    else:
        _show_estimate(found)
    return Exit.DONE


async def _stay(client: AsyncBabyChain, run_id: str, *, watch: bool, timeout: float | None, as_json: bool) -> RunState:  # noqa: ASYNC109
    if watch:
        return await watched(client, run_id, timeout=timeout, as_json=as_json)
    return await client.wait(run_id, timeout)


def _say_started(state: RunState, *, as_json: bool) -> None:
    if as_json:
        show_json(state.data)
    else:
        # The id alone, so that a script can take it.
        print(state.id)


def _show_estimate(found: Estimate) -> None:
    rows: list[Json] = [
        {"step": step["step_key"], **candidate} for step in found.data["steps"] for candidate in step["candidates"]
    ]
    show_table(
        ("step", "model", "provider", "low", "high", "safety", "not told"),
        (
            (
                *(row["step"], row["model"], row["provider"], row["estimate"]["low"], row["estimate"]["high"]),
                *(row["safety_class"], ", ".join(row.get("not_told", ()))),
            )
            for row in rows
        ),
    )
    said = console()
    said.print(_together(found), markup=False)
    for warning in found.warnings:
        said.print(f"  ! {warning}", markup=False)


def _together(found: Estimate) -> str:
    bound = most(found)
    said = [f"Together {found.cost}"]
    if bound and found.cost.high is not None and bound.dollars > found.cost.high:
        said.append(f"up to {bound.dollars} USD if a stand-in serves")
    if bound and bound.is_open:
        said.append(MORE)
    return f"{'; '.join(said)}."
