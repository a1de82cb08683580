"""What `babychain doctor` looks at, one function a part. Nothing is changed, nothing is spent."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import obstore
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection
from temporalio.client import Client
from temporalio.service import RPCError

import providers
import storage
from babychain_client import AsyncBabyChain, BabyChainError, NotAllowed
from cli.provider_trial import check as ask_provider
from domain.checks import KeyVerdict
from domain.errors import SetupError, UnavailableError
from net.addresses import is_public
from net.client import provider_client
from net.origins import TrustedOrigins
from net.resolve import SystemResolver
from net.unanswered import why_unanswered
from settings import Settings
from storage.blobs import answering_store, open_store
from storage.database import answering_database, open_database
from temporal.connection import connect, is_serving, missing_search_attributes
from temporal.names import TASK_QUEUE
from temporal.pollers import is_polled

_CLOCKS_MAY_DIFFER = 5.0
"""Seconds. Signatures of webhooks are refused at 300, and answers carry whole seconds."""

_PATIENCE = 5.0


class State(StrEnum):
    GOOD = "good"
    DOUBTFUL = "doubtful"
    """It works, but less well than it could."""
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    part: str
    state: State
    says: str
    remedy: str = ""
    """What to do, where there is something to do."""


def good(part: str, says: str) -> Finding:
    return Finding(part, State.GOOD, says)


def doubtful(part: str, says: str, remedy: str) -> Finding:
    return Finding(part, State.DOUBTFUL, says, remedy)


def bad(part: str, says: str, remedy: str) -> Finding:
    return Finding(part, State.BAD, says, remedy)


async def check_all(env: Mapping[str, str], api: AsyncBabyChain, url: str) -> AsyncIterator[Finding]:
    try:
        settings = Settings.load()
    except SetupError as error:
        yield bad("settings", error.message, "Set or correct them; docs/operating.md explains each.")
        return
    yield good("settings", f"complete; providers' mode is {settings.provider_mode}")
    async for finding in check_temporal():
        yield finding
    yield await check_database(settings.archive_url)
    yield await check_storage(settings.assets)
    async for finding in check_api(api, url):
        yield finding
    yield await check_public_address(settings)
    async for finding in check_providers(settings, env):
        yield finding


async def check_temporal() -> AsyncIterator[Finding]:
    client = await connect(lazy=True)
    address = client.service_client.config.target_host
    if not await is_serving(client):
        yield bad("temporal", f"nothing answers at {address}", "Start it, or say where it is by TEMPORAL_ADDRESS.")
        return
    try:
        missing = await missing_search_attributes(client)
    except RPCError as error:
        said = f"{address} does not serve the namespace {client.namespace}: {error.status.name.lower()}"
        yield bad("temporal", said, "Run `babychain setup`; check TEMPORAL_NAMESPACE and TEMPORAL_API_KEY.")
        return
    if missing:
        yield bad("temporal", f"search attributes are missing: {', '.join(missing)}", "Run `babychain setup`.")
        return
    yield good("temporal", f"{address}, namespace {client.namespace}")
    yield await _check_worker(client)


async def _check_worker(client: Client) -> Finding:
    if await is_polled(client, TASK_QUEUE):
        return good("worker", f"one asks for work on {TASK_QUEUE}")
    return bad("worker", "none asks for work: runs are accepted and wait", "Run `babychain serve worker`.")


async def check_database(url: str) -> Finding:
    """Its tables are looked at, not brought up to date."""
    try:
        engine = open_database(url)
    except SetupError as error:
        return bad("database", error.message, "Correct BABYCHAIN_DATABASE_URL.")
    if _is_missing(engine.url):
        return bad("database", "there is none yet", "Run `babychain setup`, or correct BABYCHAIN_DATABASE_URL.")
    try:
        with answering_database():
            async with engine.connect() as connection:
                current, newest = await connection.run_sync(_revisions)
    except UnavailableError as error:
        return bad("database", error.message, "Start it, or correct BABYCHAIN_DATABASE_URL.")
    finally:
        await engine.dispose()
    if current != newest:
        said = f"its tables are of version {current}, not {newest}" if current else "it has no tables yet"
        return bad("database", said, "Run `babychain setup`.")
    return good("database", f"{engine.dialect.name}, tables of version {current}")


def _is_missing(url: URL) -> bool:
    """A file that is not there: to connect would make it."""
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()


def _revisions(connection: Connection) -> tuple[str | None, str | None]:
    config = Config()
    folder = Path(storage.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(config).get_current_head()


async def check_storage(url: str) -> Finding:
    """By writing, reading and deleting a few bytes."""
    name, shown = f"doctor-{uuid4()}", urlsplit(url).scheme or "file"
    try:
        store = open_store(url)
        with answering_store():
            await obstore.put_async(store, name, b"doctor")
            read = bytes(await (await obstore.get_async(store, name)).bytes_async())
            await obstore.delete_async(store, name)
    except (SetupError, UnavailableError, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else error.message
        return bad(
            "storage",
            said or "it can't be used",
            "Give this process the right to write there; see BABYCHAIN_ASSETS_URL.",
        )
    if read != b"doctor":
        return bad("storage", "what was written came back changed", "Choose another place by BABYCHAIN_ASSETS_URL.")
    return good("storage", f"{shown}: writes, reads and deletes")


async def check_api(api: AsyncBabyChain, url: str) -> AsyncIterator[Finding]:
    """Whether it answers, takes our key, and goes by our clock."""
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE) as http:
            answer = await http.get(f"{url.rstrip('/')}/healthz")
        answer.raise_for_status()
    except httpx.HTTPError as error:
        yield bad("api", f"{url} does not answer. {why_unanswered(error)}", "Run `babychain serve api`.")
        return
    yield good("api", url)
    yield _check_clock(answer)
    try:
        async for _ in api.list_runs(limit=1):
            break
    except NotAllowed as error:
        yield bad("key", error.message, "Set BABYCHAIN_API_KEY to a key of this deployment.")
    except BabyChainError as error:
        yield bad("key", str(error), "Look at the API's log.")
    else:
        yield good("key", "the API takes ours")


def _check_clock(answer: httpx.Response) -> Finding:
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return doubtful("clock", "the API's answers carry no time", "Compare the clocks by hand.")
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    if apart > _CLOCKS_MAY_DIFFER:
        return bad("clock", f"ours and the API's are {apart:.0f} s apart", "Have NTP set both.")
    return good("clock", "agrees with the API's")


async def check_public_address(settings: Settings) -> Finding:
    url = settings.public_url
    if url is None:
        return doubtful("public address", "none: jobs are polled, pictures travel inside requests", _PUBLIC)
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 443
    try:
        addresses = await SystemResolver()(host, port)
    except OSError:
        return bad("public address", f"{host} has no address", "Correct BABYCHAIN_PUBLIC_URL, or the name's DNS entry.")
    if settings.provider_mode != "sandbox" and not all(map(is_public, addresses)):
        return doubtful("public address", f"{url} is not public: providers can't reach it", _PUBLIC)
    if not settings.providers_reach_us:
        return doubtful("public address", f"{url} is plain http: providers are not sent there", _PUBLIC)
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE) as http:
            (await http.get(f"{url.rstrip('/')}/healthz")).raise_for_status()
    except httpx.HTTPError as error:
        said = f"{url} does not answer from here. {why_unanswered(error)}"
        return doubtful("public address", said, "Have the proxy in front pass requests on to the API.")
    return good("public address", url)


_PUBLIC = "Set BABYCHAIN_PUBLIC_URL to an https address that leads here; chains run without."


async def check_providers(settings: Settings, env: Mapping[str, str]) -> AsyncIterator[Finding]:
    """Each that has a key is asked something that is free."""
    if settings.provider_mode == "sandbox":
        yield await _check_sandbox(settings.sandbox_url)
        return
    modules = [one for one in providers.every_module() if providers.mode_of(one) == settings.provider_mode]
    modules = modules or providers.modules()
    offered = 0
    async with provider_client(TrustedOrigins.parse(settings.trusted)) as http:
        for module in modules:
            found = await _check_provider(module, settings.provider_environment(env), http)
            if found is not None:
                offered += 1
                yield found
    if not offered:
        names = ", ".join(module.KEY_NAME for module in modules)
        yield bad("providers", "none has a key", f"Set one of {names}; or BABYCHAIN_PROVIDER_MODE=sandbox.")


async def _check_provider(module: ModuleType, env: Mapping[str, str], http: httpx.AsyncClient) -> Finding | None:
    """None where it has no key."""
    part = f"provider {module.NAME}"
    try:
        provider = module.create(env, http)
    except SetupError as error:
        return bad(part, error.message, "Correct it: until then neither the API nor the worker starts.")
    if provider is None:
        return None
    found = await ask_provider(provider)
    if found.verdict is KeyVerdict.GOOD:
        return good(part, found.says)
    if found.verdict is KeyVerdict.UNKNOWN:
        return doubtful(part, found.says, "Try one cheap job: `babychain providers check --live`.")
    return bad(part, found.says, f"Check {module.KEY_NAME}, and the way from here to the provider.")


async def _check_sandbox(url: str) -> Finding:
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE) as http:
            (await http.get(f"{url}/_sandbox/jobs")).raise_for_status()
    except httpx.HTTPError as error:
        return bad("sandbox", f"{url} does not answer. {why_unanswered(error)}", "Run `babychain serve sandbox`.")
    return good("sandbox", f"{url} plays every provider")
