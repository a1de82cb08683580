"""The API's composition root: `uvicorn --factory api.main:create_app`."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

import providers
import telemetry
from api import errors, examples
from api.budgets import Budgets
from api.callers import EnvironmentKeys, Keys, StoreKeys
from api.claims import Claims
from api.description import DescribedApp
from api.endings import Endings
from api.estimates import Estimates
from api.finding import Finder
from api.fingerprints import Fingerprints
from api.inputs import InputAddresses
from api.limits import Limits, RateLimitHeaders
from api.middleware import NulMiddleware, RequestIdMiddleware
from api.nudging import Nudger
from api.operations import Operations
from api.provider_accounts import ProviderAccounts
from api.retries import Retries
from api.routes import (
    admin,
    assets,
    console,
    cron,
    deletion,
    deliveries,
    estimates,
    health,
    keys,
    llms,
    models,
    operations,
    retries,
    runs,
    spend,
    templates,
    webhooks,
)
from api.routes import providers as provider_accounts
from api.runs import Runs
from api.services import Services
from api.shared_windows import SharedWindows
from api.shedding import SheddingMiddleware
from api.tracing import TracingMiddleware
from domain.catalogue import Catalogue
from domain.choosing import with_fallbacks
from domain.prices import with_prices
from domain.provider_limits import account_limits
from net.client import provider_client
from net.origins import TrustedOrigins
from net.resolve import SystemResolver
from net.webhook_addresses import WebhookAddresses
from settings import Settings
from storage.archive import Archive
from storage.asset_uses import AssetUses
from storage.assets import Assets
from storage.callers import Callers
from storage.database import open_database
from storage.deletion import Removals
from storage.deliveries import Deliveries
from storage.failing import FailingDeliveries
from storage.keys import KeyStore
from storage.links import AssetLinks
from storage.lookups import Lookups
from storage.prompts import Prompts
from storage.provider_figures import ProviderFigures
from storage.provider_gate import ProviderGate
from storage.retries import RetryLinks
from storage.spending import Spending
from temporal.connection import connect
from temporal.names import TASK_QUEUE
from temporal.reading import RunReader
from workflows.templates import load_templates

_NOUNS = (
    retries,
    estimates,
    spend,
    deliveries,
    deletion,
    cron,
    admin,
    runs,
    templates,
    models,
    assets,
    keys,
    llms,
    provider_accounts,
    webhooks,
    health,
    operations,
    console,
)

Load = Callable[[Mapping[str, str], httpx.AsyncClient], providers.Loaded]


def create_app() -> FastAPI:
    settings = Settings.load()
    telemetry.configure("api", settings.log_level, settings.secrets())
    return build(settings)


def build(
    settings: Settings,
    client: Client | None = None,
    *,
    task_queue: str = TASK_QUEUE,
    load: Load = providers.load,
) -> FastAPI:
    """`load` says which adapters there are: the folder's, unless a test brings its own."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.services = await _services(settings, client or await connect(lazy=True), stack, task_queue, load)
            yield

    app = DescribedApp(
        title="BabyChain on Temporal",
        version="0.1.0",
        summary="One call runs a chain of image and video models.",
        lifespan=lifespan,
        # It would redirect to whatever the Host header says.
        redirect_slashes=False,
        # Its request spans hold path and query, and with them tokens and signatures: TracingMiddleware makes ours.
        telemetry={"tracing": False},
        responses=examples.other_errors(),
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(SheddingMiddleware)
    app.add_middleware(NulMiddleware)
    app.add_middleware(RequestIdMiddleware)
    app.add_middleware(TracingMiddleware)
    errors.install(app)
    for noun in _NOUNS:
        app.include_router(noun.router)
    return app


@dataclass(frozen=True)
class _Parts:
    """What several of the services are made of."""

    settings: Settings
    client: Client
    database: AsyncEngine
    trusted: TrustedOrigins
    loaded: providers.Loaded
    catalogue: Catalogue
    assets: Assets
    uses: AssetUses
    links: AssetLinks

    @property
    def secret(self) -> str:
        return self.settings.secret.get_secret_value()


async def _parts(settings: Settings, client: Client, stack: AsyncExitStack, load: Load) -> _Parts:
    """What they hold open is closed with `stack`."""
    trusted = TrustedOrigins.parse(settings.trusted)
    http = await stack.enter_async_context(provider_client(trusted))
    database = open_database(settings.archive_url)
    stack.push_async_callback(database.dispose)
    loaded = load(settings.provider_environment(os.environ), http)
    return _Parts(
        settings=settings,
        client=client,
        database=database,
        trusted=trusted,
        loaded=loaded,
        catalogue=_catalogue(settings, loaded),
        assets=Assets.open(settings.assets),
        uses=AssetUses.open(settings.assets),
        links=AssetLinks(settings.secret.get_secret_value().encode(), settings.base_url, days=settings.asset_link_days),
    )


def _catalogue(settings: Settings, loaded: providers.Loaded) -> Catalogue:
    known = loaded.catalogue(mode=settings.provider_mode, webhooks_reach_us=settings.providers_reach_us)
    if (own := settings.own_prices) is not None:
        known = with_prices(known, own)
    return with_fallbacks(known, settings.fallbacks)


async def _services(settings: Settings, client: Client, stack: AsyncExitStack, task_queue: str, load: Load) -> Services:
    parts = await _parts(settings, client, stack, load)
    database, catalogue, links = parts.database, parts.catalogue, parts.links
    held_runs = _runs(parts, task_queue)
    templates = {slug: workflow.template for slug, workflow in load_templates().items()}
    key_store = KeyStore(database)
    return Services(
        client=client,
        runs=held_runs,
        retries=Retries(held_runs, templates, parts.assets),
        keys=_keys(settings, key_store, stack),
        key_store=key_store,
        limits=_limits(settings, stack),
        callers=Callers(database, secret=parts.secret, default_secret=settings.callback_secret.get_secret_value()),
        catalogue=catalogue,
        templates=templates,
        providers=parts.loaded.providers,
        accounts=_accounts(parts),
        addresses=WebhookAddresses(parts.secret, settings.base_url),
        assets=parts.assets,
        uses=parts.uses,
        links=links,
        endings=Endings(client, held_runs, Deliveries(database)),
        nudger=Nudger(held_runs),
        operations=Operations(client, held_runs, Prompts(database), FailingDeliveries(database)),
        temporal_ui=settings.temporal_ui_url,
        estimates=Estimates(catalogue, parts.loaded.providers, links, settings.base_url),
        spending=Spending(database),
        finder=Finder(client, held_runs.reader, Lookups(database)),
        database=database,
        cron_secret=settings.cron_secret.get_secret_value() if settings.cron_secret else None,
    )


def _runs(parts: _Parts, task_queue: str) -> Runs:
    database, links, reachable = parts.database, parts.links, parts.settings.providers_reach_us
    return Runs(
        client=parts.client,
        reader=RunReader(parts.client),
        archive=Archive(database),
        claims=Claims(Removals(database), parts.uses),
        catalogue=parts.catalogue,
        addresses=InputAddresses(parts.trusted, SystemResolver(), parts.assets, links, parts.loaded.models, reachable),
        fingerprints=Fingerprints(parts.secret),
        asset_url=lambda asset: links.url(asset, datetime.now(UTC)),
        budgets=Budgets(Spending(database)),
        retry_links=RetryLinks(database),
        task_queue=task_queue,
    )


def _accounts(parts: _Parts) -> ProviderAccounts:
    limits = account_limits(parts.settings.provider_limits, parts.loaded.limits, parts.loaded.key_names)
    return ProviderAccounts(ProviderGate(parts.database), ProviderFigures(parts.database), limits, parts.catalogue)


def _keys(settings: Settings, store: KeyStore, stack: AsyncExitStack) -> Keys:
    held_keys = Keys(EnvironmentKeys(settings.api_key.get_secret_value()), StoreKeys(store))
    stack.push_async_callback(held_keys.store.aclose)
    return held_keys


def _limits(settings: Settings, stack: AsyncExitStack) -> Limits:
    shared = None
    if settings.redis_url is not None:
        shared = SharedWindows.open(settings.redis_url.get_secret_value())
        stack.push_async_callback(shared.aclose)
    return Limits(
        creates=settings.rate_limit_per_minute,
        reads=settings.read_limit_per_minute,
        processes=settings.api_processes,
        shared=shared,
    )
