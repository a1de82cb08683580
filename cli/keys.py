"""`babychain keys`: caller keys, straight in the database."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from cyclopts import App, Parameter

from api.key_orders import Caps, CreateKey, Rotate, caller_resource, key_resource, read_order
from cli.deployment import fill_in, load_settings
from cli.failures import CommandFailed, Misused
from cli.showing import AsJson, console, moment, show_json, show_table
from cli.signals import run
from domain.errors import RequestError
from settings import Settings
from storage.callers import Callers
from storage.database import open_database, upgrade
from storage.keys import KeyStore

keys = App(name="keys", help="Caller keys: create, list, rotate, revoke; and what belongs to a caller.")

Json = dict[str, Any]
_COLUMNS = ("id", "caller", "name", "prefix", "status", "expires_at", "last_used_at")


@dataclass(frozen=True)
class _Stores:
    keys: KeyStore
    callers: Callers


@keys.command
def create(
    caller: str,
    *,
    name: str = "",
    scope: Annotated[list[str] | None, Parameter(negative="")] = None,
    days: int | None = None,
    creates_per_minute: int | None = None,
    reads_per_minute: int | None = None,
    as_json: AsJson = False,
) -> int:
    """Make a key and print it, this once.

    Parameters
    ----------
    caller
        Whose runs the key sees. Keys of one caller see the same runs.
    name
        What tells it from the caller's other keys.
    scope
        chains:run, chains:read, runs:cancel or admin; repeat it for several. Without it, all but admin.
    days
        How long it lives; without it, until it is revoked.
    creates_per_minute
        Its limit; without it, the deployment's.
    reads_per_minute
        Its limit; without it, the deployment's.
    as_json
        Print JSON.
    """
    wanted: Json = {"caller": caller, "name": name}
    wanted |= {"creates_per_minute": creates_per_minute, "reads_per_minute": reads_per_minute}
    if scope:
        wanted["scopes"] = scope
    if days is not None:
        wanted["expires_at"] = datetime.now(UTC) + timedelta(days=days)

    async def work(stores: _Stores) -> Json:
        made = await stores.keys.create(read_order(CreateKey, wanted).as_new_key(), now=datetime.now(UTC))
        return key_resource(made.stored) | {"key": made.key}

    return _run(work, show_json if as_json else _show_secret("key"))


@keys.command(name="list")
def list_(*, caller: str | None = None, as_json: AsJson = False) -> int:
    """Show the keys, newest first; those of the environment are not among them.

    Parameters
    ----------
    caller
        Only this caller's.
    as_json
        Print JSON.
    """

    async def work(stores: _Stores) -> Json:
        return {"data": [key_resource(key) for key in await stores.keys.listed(caller)]}

    return _run(work, show_json if as_json else _show_table)


@keys.command
def rotate(key_id: str, *, overlap_seconds: int | None = None, as_json: AsJson = False) -> int:
    """Make a key's successor and print it, this once. The caller stays, and with it the sight of its runs.

    Parameters
    ----------
    key_id
        The id, as `list` shows it.
    overlap_seconds
        How long the old key goes on working; a day when it is not given.
    as_json
        Print JSON.
    """

    async def work(stores: _Stores) -> Json:
        made = await stores.keys.rotate(key_id, now=datetime.now(UTC), overlap=_overlap(overlap_seconds))
        return key_resource(made.stored) | {"key": made.key}

    return _run(work, show_json if as_json else _show_secret("key"))


@keys.command
def revoke(key_id: str, *, as_json: AsJson = False) -> int:
    """End a key for good; every API process refuses it within five seconds.

    Parameters
    ----------
    key_id
        The id, as `list` shows it.
    as_json
        Print JSON.
    """

    async def work(stores: _Stores) -> Json:
        return key_resource(await stores.keys.revoke(key_id, now=datetime.now(UTC)))

    return _run(work, show_json if as_json else _show_fields)


@keys.command
def caps(caller: str, *, daily_cap: int | None = None, monthly_cap: int | None = None, as_json: AsJson = False) -> int:
    """Set what a caller may spend, in micro-dollars. A cap that is left out is taken away.

    Parameters
    ----------
    caller
        The caller's id.
    daily_cap
        Micro-dollars a day.
    monthly_cap
        Micro-dollars a month.
    as_json
        Print JSON.
    """

    async def work(stores: _Stores) -> Json:
        order = read_order(Caps, {"daily_cap": daily_cap, "monthly_cap": monthly_cap})
        return caller_resource(await stores.callers.set_caps(caller, daily=order.daily_cap, monthly=order.monthly_cap))

    return _run(work, show_json if as_json else _show_fields)


@keys.command
def callback_secret(caller: str, *, overlap_seconds: int | None = None, as_json: AsJson = False) -> int:
    """Give a caller a new callback secret and print it, this once.

    Parameters
    ----------
    caller
        The caller's id.
    overlap_seconds
        How long callbacks carry the old secret's signature too; a day when it is not given.
    as_json
        Print JSON.
    """

    async def work(stores: _Stores) -> Json:
        secret = await stores.callers.rotate_callback_secret(
            caller, now=datetime.now(UTC), overlap=_overlap(overlap_seconds)
        )
        return {"caller": caller, "secret": secret}

    return _run(work, show_json if as_json else _show_secret("secret"))


def _overlap(seconds: int | None) -> timedelta:
    return read_order(Rotate, {} if seconds is None else {"overlap_seconds": seconds}).overlap


def _run(work: Callable[[_Stores], Coroutine[Any, Any, Json]], show: Callable[[Json], None]) -> int:
    fill_in()
    settings = load_settings()

    async def whole() -> int:
        async with _stores(settings) as stores:
            show(await work(stores))
        return 0

    try:
        return run(whole())
    except RequestError as error:
        details = [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in error.faults]
        raise (Misused if details else CommandFailed)(error.message, tuple(details)) from None


@asynccontextmanager
async def _stores(settings: Settings) -> AsyncIterator[_Stores]:
    await upgrade(settings.archive_url)
    database = open_database(settings.archive_url)
    default_secret = settings.callback_secret.get_secret_value()
    try:
        callers = Callers(database, secret=settings.secret.get_secret_value(), default_secret=default_secret)
        yield _Stores(KeyStore(database), callers)
    finally:
        await database.dispose()


def _show_secret(field: str) -> Callable[[Json], None]:
    """The secret alone goes to standard output, so that a script can take it."""

    def show(answer: Json) -> None:
        told = console(stderr=True)
        for name, value in answer.items():
            if name != field and value is not None:
                told.print(f"  {name:<18} {_text(name, value)}", markup=False)
        told.print(f"The {field} is shown this once:")
        print(answer[field])

    return show


def _show_fields(answer: Json) -> None:
    told = console()
    for name, value in answer.items():
        if value is not None:
            told.print(f"  {name:<18} {_text(name, value)}", markup=False)


def _show_table(answer: Json) -> None:
    show_table(_COLUMNS, (tuple(_text(name, row[name]) for name in _COLUMNS) for row in answer["data"]))


def _text(name: str, value: Any) -> str:
    if name.endswith(("_at", "_until")):
        return moment(value)
    return " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
