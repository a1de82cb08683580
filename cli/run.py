"""`babychain run` and `babychain estimate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from babychain_client import AsyncBabyChain, AsyncRun, Estimate
from cli.each import Batch, run_each
from cli.failures import Exit, Misused
from cli.following import Staying, begin, telling
from cli.orders import Json, Order
from cli.prices import MORE, most
from cli.session import connect
from cli.showing import AsJson, Flag, OnceKey, console, show_json, show_table
from cli.signals import run as run_to_end


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Lines:
    """Many runs, one for each line of a file."""

    each: Path | None = None
    """A file with a request on every line, as JSON: one run for each, after the total has been shown. Start it again
    to go on where it was stopped; no line is run twice."""
    batch: str = ""
    """A name for these runs of the lines; another name runs them anew."""
    parallel: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 8
    """How many lines at once."""
    yes: Flag = False
    """Do not ask before starting the lines."""


_NO_ORDER, _GOING, _NO_LINES = Order(), Staying(), Lines()


def run(
    chain: str,
    /,
    order: Order = _NO_ORDER,
    staying: Staying = _GOING,
    lines: Lines = _NO_LINES,
    *,
    idempotency_key: OnceKey = None,
    as_json: AsJson = False,
) -> int:
    """Start a run. Without --watch, --wait or --download the answer is its id at once.

    Parameters
    ----------
    chain
        Which chain; `babychain templates` shows them.
    idempotency_key
        The same key and request are the same run, however often it is started.
    as_json
        Print JSON; with --watch one line for each event; the last, `ended`, carries the run.
    """
    if lines.each is not None and (staying.watch or staying.timeout is not None or idempotency_key is not None):
        raise Misused("--each goes with none of --watch, --timeout and --idempotency-key.")
    staying.prepare()
    with connect() as client:
        body = order.body(client, chain)
    if lines.each is None:

        async def start(api: AsyncBabyChain) -> AsyncRun:
            return await api.run(chain, idempotency_key=idempotency_key, **body)

        return run_to_end(telling(begin(start, staying, as_json=as_json)))
    batch = Batch(*(chain, lines.each, lines.batch, lines.parallel, staying.download), yes=lines.yes, as_json=as_json)
    return run_to_end(run_each(batch, body))


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
