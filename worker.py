"""The worker: workflows decide, activities act. This is its composition root."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import httpx
import structlog
import uvloop
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import providers
import telemetry
from activities.archiving import Archiver
from activities.deletion import DeletionActivities
from activities.delivering import PATIENCE, DeliveryActivities
from activities.endings import EndingActivities
from activities.gate import Gate
from activities.inputs import InputFiles
from activities.jobs import JobActivities
from activities.outputs import Outputs
from activities.submitting import SubmitActivities
from activities.sweeping import SweepActivities
from activities.watching import WatchActivities
from domain.provider_limits import account_limits
from net.client import guarded_client, provider_client
from net.origins import TrustedOrigins
from net.webhook_addresses import WebhookAddresses
from settings import Settings
from storage.archive import Archive
from storage.asset_uses import AssetUses
from storage.assets import Assets
from storage.callers import Callers
from storage.database import open_database
from storage.deletion import Removals
from storage.deliveries import Deliveries
from storage.links import AssetLinks
from storage.lookups import Lookups
from storage.provider_gate import ProviderGate
from temporal.connection import connect
from temporal.names import TASK_QUEUE
from temporal.reading import RunReader
from temporal.schedules import ensure_sweep
from temporal.stopping import working
from workflows.after_run import AfterRunWorkflow
from workflows.deletion import DeletionWorkflow
from workflows.delivery import DeliveryWorkflow
from workflows.sweep import SweepWorkflow
from workflows.templates import load_templates

log = structlog.get_logger("babychain.worker")

STOPPING = 10.0
"""Seconds beyond the grace: activities that were cancelled then still book what they know."""

Load = Callable[[Mapping[str, str], httpx.AsyncClient], providers.Loaded]


async def build(
    settings: Settings,
    client: Client,
    stack: AsyncExitStack,
    *,
    task_queue: str = TASK_QUEUE,
    load: Load = providers.load,
) -> Worker:
    """A worker ready to run; what it holds open is closed with `stack`."""
    trusted = TrustedOrigins.parse(settings.trusted)
    provider_http = await stack.enter_async_context(provider_client(trusted))
    outside_http = await stack.enter_async_context(guarded_client(trusted, timeout=10.0))
    receivers_http = await stack.enter_async_context(guarded_client(trusted, timeout=httpx.Timeout(PATIENCE, pool=1.0)))
    database = open_database(settings.archive_url)
    stack.push_async_callback(database.dispose)
    loaded = load(settings.provider_environment(os.environ), provider_http)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[*load_templates().values(), AfterRunWorkflow, DeliveryWorkflow, DeletionWorkflow, SweepWorkflow],
        activities=[
            *_steps(settings, client, loaded, database, outside_http),
            *_endings(settings, client, database, receivers_http, task_queue),
        ],
        # The SDK's sandbox would load the engine anew for every run, which doubles what a run costs. It guards
        # against code that differs between replays, and does so in the tests, which replay stored histories in it.
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=500,
        # Without a grace a SIGTERM cancels a submit in the middle, and its outcome is unknown.
        graceful_shutdown_timeout=timedelta(seconds=settings.shutdown_grace),
        # A payload that does not fit our types fails its run; any other surprise waits for a rollback.
        workflow_failure_exception_types=[ValidationError],
    )


def _steps(
    settings: Settings, client: Client, loaded: providers.Loaded, database: AsyncEngine, http: httpx.AsyncClient
) -> list[Callable[..., Any]]:
    assets, uses = Assets.open(settings.assets), AssetUses.open(settings.assets)
    addresses = WebhookAddresses(settings.secret.get_secret_value(), settings.base_url)
    # An environment may be shared by workers with different keys, so any known provider may be named.
    limits = account_limits(settings.provider_limits, loaded.limits, loaded.key_names)
    gate = Gate(ProviderGate(database), limits)
    submits = SubmitActivities(
        client=client,
        providers=loaded.providers,
        inputs=_input_files(settings, loaded, assets, http),
        uses=uses,
        gate=gate,
        callback_url=addresses.url,
        attempt_token=addresses.attempt_token,
    )
    watches = WatchActivities(loaded.providers, Outputs(http, assets, uses), gate)
    jobs = JobActivities(loaded.providers, gate, addresses.attempt_token)
    return [submits.submit, watches.watch, watches.collect, jobs.reconcile, jobs.cancel_job]


def _input_files(settings: Settings, loaded: providers.Loaded, assets: Assets, http: httpx.AsyncClient) -> InputFiles:
    models = loaded.of_mode.get(settings.provider_mode, loaded.models)
    return InputFiles(
        http,
        assets,
        _links(settings),
        providers_reach_us=settings.providers_reach_us,
        limits={card.id: card.pictures for card in models.values()},
    )


def _endings(
    settings: Settings, client: Client, database: AsyncEngine, http: httpx.AsyncClient, task_queue: str
) -> list[Callable[..., Any]]:
    reader, archive, removals = RunReader(client), Archive(database), Removals(database)
    archiver = Archiver(reader, archive, removals, Lookups(database), _links(settings).url)
    callers = Callers(
        database,
        secret=settings.secret.get_secret_value(),
        default_secret=settings.callback_secret.get_secret_value(),
    )
    endings = EndingActivities(client, archiver)
    deliveries = DeliveryActivities(
        archiver, Deliveries(database), http, lambda caller: callers.callback_secrets(caller, now=datetime.now(UTC))
    )
    deletion = DeletionActivities(client, archive, removals, AssetUses.open(settings.assets), settings.retention)
    sweep = SweepActivities(client, reader, removals, task_queue)
    return [
        endings.archive,
        endings.request_cancel,
        deliveries.deliver,
        deletion.delete_run,
        deletion.sweep_media,
        sweep.finish_runs,
    ]


def _links(settings: Settings) -> AssetLinks:
    return AssetLinks(settings.secret.get_secret_value().encode(), settings.base_url, days=settings.asset_link_days)


async def main() -> None:
    settings = Settings.load()
    telemetry.configure("worker", settings.log_level, settings.secrets())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        client = await connect()
        worker = await build(settings, client, stack)
        await ensure_sweep(client)
        async with working(worker, stops_within=settings.shutdown_grace + STOPPING):
            log.info("worker_started", mode=settings.provider_mode, task_queue=TASK_QUEUE)
            await stop.wait()
            log.info("worker_stopping", grace_seconds=settings.shutdown_grace)


def run(program: Coroutine[Any, Any, None]) -> NoReturn:
    """Run it to its end, and leave without Python's own tidying up.

    A thread of the Temporal SDK that hands something over meanwhile aborts the process, and a clean stop looks like a
    crash (https://github.com/temporalio/sdk-python/issues/300; seen with 1.35). It can go when that is mended.
    """
    uvloop.run(program)
    telemetry.close()
    os._exit(0)


if __name__ == "__main__":
    run(main())
