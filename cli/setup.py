"""Prepare what the parts rely on: Temporal's namespace and search attributes, and the database's tables."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.deployment import load_settings
from cli.failures import CommandFailed
from cli.local_temporal import wait_until_serving
from cli.signals import run
from settings import Settings
from storage.database import upgrade
from temporal.connection import connect, missing_search_attributes, register_search_attributes
from temporal.schedules import EVERY, ensure_sweep

RETENTION = timedelta(hours=72)
"""An idempotency key is remembered for as long as Temporal keeps the ended run."""

_PERIOD = Duration(seconds=int(RETENTION.total_seconds()))

_KNOWN_SECONDS = 30.0

Announce = Callable[[str], None]


def setup() -> int:
    """Prepare Temporal and the database. Run it once, and after every update; a repeat changes nothing."""
    return run(_setup(load_settings()))


async def _setup(settings: Settings) -> int:
    await prepare(settings)
    return 0


async def prepare(settings: Settings, announce: Announce = print) -> None:
    client = await connect(lazy=True)
    await wait_until_serving(client, client.service_client.config.target_host)
    announce(await _prepare_namespace(client))
    added = await register_search_attributes(client)
    announce(f"Search attributes: {', '.join(added) + ' added' if added else 'all there'}.")
    await ensure_sweep(client)
    announce(f"Schedule: a sweep every {EVERY.seconds} s.")
    await upgrade(settings.archive_url)
    announce("Database: the tables are up to date.")


async def _prepare_namespace(client: Client) -> str:
    name = client.namespace
    service = client.workflow_service
    try:
        found = await service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        await service.register_namespace(
            RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=_PERIOD)
        )
        await _wait_until_known(client)
        return f"Namespace {name}: created; ended runs stay in Temporal for {_hours(_PERIOD)}."
    keeps = found.config.workflow_execution_retention_ttl
    if keeps.seconds >= _PERIOD.seconds:
        return f"Namespace {name}: there; ended runs stay in Temporal for {_hours(keeps)}."
    try:
        longer = NamespaceConfig(workflow_execution_retention_ttl=_PERIOD)
        await service.update_namespace(UpdateNamespaceRequest(namespace=name, config=longer))
    except RPCError as error:
        if error.status is not RPCStatusCode.PERMISSION_DENIED:
            raise
        return (
            f"Namespace {name}: ended runs stay in Temporal for {_hours(keeps)}, and we may not change that. "
            f"Idempotency keys are forgotten then; ask for {_hours(_PERIOD)}."
        )
    return f"Namespace {name}: ended runs now stay in Temporal for {_hours(_PERIOD)}, not {_hours(keeps)}."


async def _wait_until_known(client: Client) -> None:
    """A server looks for new namespaces every few seconds, and refuses calls for those it has not seen."""
    try:
        async with asyncio.timeout(_KNOWN_SECONDS):
            while not await _is_known(client):  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise CommandFailed(f"Temporal did not take up the new namespace {client.namespace} in time.") from None


async def _is_known(client: Client) -> bool:
    try:
        await missing_search_attributes(client)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def _hours(period: Duration) -> str:
    return f"{period.seconds // 3600} h"
