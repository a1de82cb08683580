"""`babychain get`, `list`, `watch`, `cancel` and `retry`."""

from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from cyclopts import Parameter, validators

from babychain_client import AsyncBabyChain, AsyncRun, RunState
from cli.failures import Exit, Misused, exit_of_run
from cli.following import Staying, begin, telling, watched
from cli.orders import Order, pairs
from cli.progress import chain_picture
from cli.session import connect, connect_async
from cli.showing import AsJson, Folder, OnceKey, Seconds, made, moment, show_end, show_json, show_table
from cli.signals import run as run_to_end

_NO_ORDER, _GOING = Order(), Staying()
_Words = Annotated[list[str] | None, Parameter(negative="")]


def get(run_id: str, /, *, download: Annotated[Folder, Parameter(alias="-d")] = None, as_json: AsJson = False) -> int:
    """Show a run as it is now.

    Parameters
    ----------
    run_id
        The run.
    download
        A folder for the files that it has made so far.
    as_json
        Print JSON.
    """
    made(download)
    with connect() as client:
        state = client.state(run_id)
        files = client.download(state, download) if download else []
    show_end(state, files, as_json=as_json)
    return Exit.DONE


def list_(
    *,
    status: _Words = None,
    template: str | None = None,
    model: str | None = None,
    provider: str | None = None,
    tag: _Words = None,
    metadata: _Words = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 20,
    as_json: AsJson = False,
) -> int:
    """Show your runs: those under way first, then the ended ones, the latest end first.

    Parameters
    ----------
    status
        queued, running, succeeded, failed or canceled; repeat it for several.
    template
        Of this chain.
    model
        A model that a step begins with, or has tried.
    provider
        The provider of such a model.
    tag
        With this tag; repeat it for several.
    metadata
        NAME=VALUE in the metadata; repeat it for several.
    created_after
        Created then or later.
    created_before
        Created earlier.
    limit
        So many at most.
    as_json
        Print JSON.
    """
    # A word without its value would be found in no run.
    pairs(metadata or (), "--metadata")
    filters: dict[str, Any] = {"status": status, "template": template, "model": model, "provider": provider, "tag": tag}
    filters |= {"metadata": metadata, "limit": min(limit, 100)}
    with connect() as client:
        found = client.list_runs(created_after=_aware(created_after), created_before=_aware(created_before), **filters)
        runs = list(islice(found, limit))
    if as_json:
        show_json({"object": "list", "data": [run.data for run in runs]})
    else:
        show_table(("id", "chain", "status", "created", "steps"), map(_row, runs))
    return Exit.DONE


def watch(run_id: str, /, *, timeout: Seconds = None, as_json: AsJson = False) -> int:
    """Draw how a run goes until it ends. The exit code says how it ended.

    Parameters
    ----------
    run_id
        The run.
    timeout
        Seconds to stay with it at most. The run goes on after that.
    as_json
        Print one line of JSON for each event; the last, `ended`, carries the run.
    """

    async def work() -> int:
        async with connect_async() as client:
            ended = await watched(client, run_id, timeout=timeout, as_json=as_json)
        show_end(ended, as_json=as_json, streamed=True)
        return exit_of_run(ended)

    return run_to_end(telling(work()))


def cancel(run_id: str, /, *, as_json: AsJson = False) -> int:
    """Stop a run. One that has ended stays as it is.

    Parameters
    ----------
    run_id
        The run.
    as_json
        Print JSON.
    """
    with connect() as client:
        state = client.cancel(run_id)
    show_end(state, as_json=as_json)
    return Exit.DONE


def retry(
    run_id: str,
    /,
    order: Order = _NO_ORDER,
    staying: Staying = _GOING,
    *,
    from_step: str | None = None,
    idempotency_key: OnceKey = None,
    as_json: AsJson = False,
) -> int:
    """Start an ended run again, and pay no second time for the steps that are kept.

    Parameters
    ----------
    run_id
        The ended run. The flags of `run` say what is to change.
    from_step
        The first step to do again; by default the first that did not succeed.
    idempotency_key
        The same key and request are the same new run.
    as_json
        Print JSON; with --watch one line for each event; the last, `ended`, carries the run.
    """
    if order.prompt is not None:
        raise Misused("Name the step whose prompt is to change: --set image_to_video_prompt=...")
    staying.prepare()
    with connect() as client:
        changes = order.body(client, "")
    if not changes["input"]:
        del changes["input"]
    if from_step is not None:
        changes["from_step"] = from_step

    async def start(api: AsyncBabyChain) -> AsyncRun:
        return await api.retry(run_id, idempotency_key=idempotency_key, **changes)

    return run_to_end(telling(begin(start, staying, as_json=as_json)))


def _row(run: RunState) -> tuple[str, ...]:
    return run.id, run.chain, run.status, moment(run.data["created_at"]), str(chain_picture(run.data)).strip()


def _aware(moment: datetime | None) -> datetime | None:
    """A time without a zone is meant by the clock on the wall."""
    return None if moment is None else moment.astimezone()
