"""The API's composition root: `uvicorn --factory api.main:create_app`."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import httpx
from fastapi import FastAPI
from temporalio.client import Client

import providers
import telemetry
from api import errors, examples
from api.callers import EnvironmentKeys
from api.fingerprints import Fingerprints
from api.inputs import InputAddresses
from api.middleware import RequestIdMiddleware
from api.routes import assets, health, models, runs, templates, webhooks
from api.runs import Runs
from api.services import Services
from api.tracing import TracingMiddleware
from net.client import provider_client
from net.origins import TrustedOrigins
from net.resolve import SystemResolver
from net.webhook_addresses import WebhookAddresses
from settings import Settings
from storage.archive import Archive
from storage.assets import Assets
from storage.database import open_database
from storage.links import AssetLinks
from temporal.connection import connect
from temporal.names import TASK_QUEUE
from temporal.reading import RunReader
from workflows.templates import load_templates

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

    app = FastAPI(
        title="BabyChain on Temporal",
        version="0.1.0",
        summary="One call runs a chain of image and video models.",
        lifespan=lifespan,
        # Its request spans hold path and query, and with them tokens and signatures: TracingMiddleware makes ours.
        telemetry={"tracing": False},
        responses=examples.other_errors(),
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_middleware(RequestIdMiddleware)
    app.add_middleware(TracingMiddleware)
    errors.install(app)
    for noun in (runs, templates, models, assets, webhooks, health):
        app.include_router(noun.router)
    return app


async def _services(settings: Settings, client: Client, stack: AsyncExitStack, task_queue: str, load: Load) -> Services:
    trusted = TrustedOrigins.parse(settings.trusted)
    http = await stack.enter_async_context(provider_client(trusted))
    database = open_database(settings.archive_url)
    stack.push_async_callback(database.dispose)
    secret = settings.secret.get_secret_value()
    loaded = load(settings.provider_environment(os.environ), http)
    catalogue = loaded.catalogue(mode=settings.provider_mode, webhooks_reach_us=settings.providers_reach_us)
    store = Assets.open(settings.assets)
    links = AssetLinks(secret.encode(), settings.base_url, days=settings.asset_link_days)
    return Services(
        client=client,
        runs=Runs(
            client=client,
            reader=RunReader(client),
            archive=Archive(database),
            catalogue=catalogue,
            addresses=InputAddresses(trusted, SystemResolver(), store, links),
            fingerprints=Fingerprints(secret),
            asset_url=lambda asset: links.url(asset, datetime.now(UTC)),
            task_queue=task_queue,
        ),
        keys=EnvironmentKeys(settings.api_key.get_secret_value()),
        catalogue=catalogue,
        templates={slug: workflow.template for slug, workflow in load_templates().items()},
        providers=loaded.providers,
        addresses=WebhookAddresses(secret, settings.base_url),
        assets=store,
        links=links,
    )
