"""`babychain run --each`: a run for every line of a file. It may be stopped and started again at any time."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from babychain_client import AsyncBabyChain, BabyChainError, Conflict, InvalidRequest, NotAllowed, NotFound
from cli.asking import confirm
from cli.failures import Exit
from cli.lines import Json, Line, Result, Results, read_lines, still_to_do
from cli.prices import Total
from cli.session import connect_patiently
from cli.showing import console, show_line

Tell = Callable[[Result], None]

_REFUSALS = (InvalidRequest, Conflict, NotAllowed, NotFound)


@dataclass(frozen=True)
class Batch:
    chain: str
    file: Path
    name: str
    """Part of every key: another name makes the same lines new runs."""
    parallel: int
    folder: Path | None
    yes: bool
    as_json: bool

    @property
    def results(self) -> Results:
        return Results(self.file.with_name(self.file.name + ".results"))


async def run_each(batch: Batch, shared: Json) -> int:
    lines = read_lines(batch.file, batch.chain, shared, batch.name)
    known = batch.results.read()
    open_lines = still_to_do(lines, known)
    said = console(stderr=batch.as_json)
    if done := len(lines) - len(open_lines):
        said.print(f"{done} of {len(lines)} lines have ended before, as {batch.results.file} says.", markup=False)
    async with connect_patiently() as client:
        if open_lines:
            batch.results.prepare()
            await _confirm(client, batch, open_lines, said)
        try:
            with _told(batch, len(open_lines)) as tell:
                news = await _run_all(client, batch, open_lines, tell)
        except (asyncio.CancelledError, OSError):
            print("babychain: Runs that were started go on. The same command takes them up again.", file=sys.stderr)
            raise
    to_do = {line.number for line in open_lines}
    before = (known[line.key] for line in lines if line.number not in to_do)
    counts = Counter(result.status for result in (*before, *news))
    summary = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no lines"
    if batch.as_json:
        show_line({"event": "summary", "lines": len(lines), **counts})
    else:
        count = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
        said.print(f"{count}: {summary}. Each line's end is in {batch.results.file}.", markup=False)
    return Exit.DONE if counts["succeeded"] == len(lines) else Exit.RUN_FAILED


# ---- what it costs --------------------------------------------------------------------------------------------------


async def _confirm(client: AsyncBabyChain, batch: Batch, lines: Sequence[Line], said: Console) -> None:
    runs = [line for line in lines if line.fault is None]
    if faulty := len(lines) - len(runs):
        said.print(
            "1 line is no request; nothing runs for it."
            if faulty == 1
            else f"{faulty} lines are no requests; nothing runs for them."
        )
    if runs:
        total = await _estimated(client, batch.chain, runs)
        said.print(f"{len(runs)} {'run' if len(runs) == 1 else 'runs'} of {batch.chain}, {total}.", markup=False)
    if batch.yes or not runs:
        return
    confirm("Start them?", said, otherwise="Nothing was started")


async def _estimated(client: AsyncBabyChain, chain: str, lines: Sequence[Line]) -> Total:
    """One question for all lines of one shape: an estimate counts against the limit of creates."""
    shapes = Counter(line.shape for line in lines)
    first = {line.shape: line for line in reversed(lines)}
    total = Total()
    for shape, count in shapes.items():
        try:
            total.add(await client.estimate(chain, **first[shape].body), count)
        except InvalidRequest:
            # Its own create will say what is wrong.
            total.refused += count
    return total


# ---- the runs -------------------------------------------------------------------------------------------------------


async def _run_all(client: AsyncBabyChain, batch: Batch, lines: Sequence[Line], tell: Tell) -> list[Result]:
    results: list[Result] = []
    places = asyncio.Semaphore(batch.parallel)

    async def one(line: Line) -> None:
        async with places:
            result = await _run_one(client, batch, line)
        batch.results.add(result)
        results.append(result)
        tell(result)

    try:
        async with asyncio.TaskGroup() as group:
            for line in lines:
                group.create_task(one(line))
    except ExceptionGroup as failed:
        # A disk that is full, a pipe that nobody reads: it is the same for all.
        raise failed.exceptions[0] from None
    return results


async def _run_one(client: AsyncBabyChain, batch: Batch, line: Line) -> Result:
    """How the line ended. Whatever happens to it is its own affair: the others go on."""
    if line.fault is not None:
        return Result(line.number, f"line-{line.number}", "refused", error=line.fault)
    try:
        run = await client.run(batch.chain, idempotency_key=line.key, **line.body)
    except BabyChainError as error:
        status = "refused" if isinstance(error, _REFUSALS) else "unfinished"
        return Result(line.number, line.key, status, error=str(error))
    try:
        ended = await run.wait()
        if batch.folder:
            await client.download(ended, batch.folder / f"{line.number:05}-{run.id}")
    except (BabyChainError, OSError) as error:
        # Also a folder that this line's files don't fit into.
        return Result(line.number, line.key, "unfinished", run.id, str(error))
    said = None if ended.error is None else f"{ended.error.message} ({ended.error.code})"
    return Result(line.number, line.key, ended.status, run.id, said)


# ---- how it goes ----------------------------------------------------------------------------------------------------


@contextmanager
def _told(batch: Batch, count: int) -> Iterator[Tell]:
    out = console()
    if batch.as_json:
        yield lambda result: show_line({"event": "line", **result.data})
    elif not out.is_terminal:
        yield lambda result: out.print(_sentence(result), markup=False)
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=out) as bar:
            task = bar.add_task("runs", total=count)

            def tell(result: Result) -> None:
                bar.advance(task)
                if result.status != "succeeded":
                    bar.console.print(_sentence(result), markup=False)

            yield tell


def _sentence(result: Result) -> str:
    return f"line {result.line}: {result.status} {result.run_id or ''} {result.error or ''}".rstrip()
