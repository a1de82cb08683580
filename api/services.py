"""What routes work with, built once by `api/main.py` and handed out by dependencies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.callers import Caller, Keys
from api.endings import Endings
from api.estimates import Estimates
from api.finding import Finder
from api.limits import Kind, Limits, refuse_excess
from api.nudging import Nudger
from api.operations import Operations
from api.provider_accounts import ProviderAccounts
from api.retries import Retries
from api.runs import Runs
from domain.catalogue import Catalogue
from domain.chains import ChainTemplate
from domain.errors import AuthError, RequestError
from domain.provider import Provider
from net.webhook_addresses import WebhookAddresses
from storage.asset_uses import AssetUses
from storage.assets import Assets
from storage.callers import Callers
from storage.keys import KeyStore
from storage.links import AssetLinks
from storage.spending import Spending


@dataclass(frozen=True)
class Services:
    client: Client
    runs: Runs
    retries: Retries
    keys: Keys
    key_store: KeyStore
    callers: Callers
    limits: Limits
    catalogue: Catalogue
    templates: Mapping[str, ChainTemplate]
    providers: Mapping[str, Provider]
    accounts: ProviderAccounts
    addresses: WebhookAddresses
    assets: Assets
    uses: AssetUses
    links: AssetLinks
    endings: Endings
    nudger: Nudger
    operations: Operations
    temporal_ui: str | None
    """Where people look at workflows."""
    finder: Finder
    estimates: Estimates
    spending: Spending
    database: AsyncEngine
    cron_secret: str | None


async def services(request: Request) -> Services:
    held: Services = request.app.state.services
    return held


Held = Annotated[Services, Depends(services)]


def address_of(request: Request) -> str:
    """Where it came from: whom the proxy names, behind one that uvicorn is told to believe (FORWARDED_ALLOW_IPS)."""
    return request.client.host if request.client is not None else ""


# Cancelling is never limited: it ends work.
_LIMITED = {"chains:run": Kind.CREATES, "chains:read": Kind.READS, "admin": Kind.READS}


class Needs(SecurityBase):
    """A dependency: the caller of this request, who must hold a scope and not ask too often."""

    scheme_name = "key"
    model = HTTPBearer(description="A caller key of this deployment.")

    def __init__(self, scope: str, kind: Kind | None = None) -> None:
        """`kind` is the limit that a request counts towards, where it is not the scope's own."""
        self._scope = scope
        self._kind = kind or _LIMITED.get(scope)

    async def __call__(self, request: Request, held: Held) -> Caller:
        caller = await held.keys.authenticate(request.headers.get("authorization"), address_of(request))
        if self._scope not in caller.scopes:
            raise AuthError(f"This key lacks the scope {self._scope!r}.", code="insufficient_scope")
        if self._kind is not None:
            request.state.rate_limit = await held.limits.spend(caller, self._kind)
            refuse_excess(request.state.rate_limit)
        return caller


Runner = Annotated[Caller, Depends(Needs("chains:run"))]
Estimator = Annotated[Caller, Depends(Needs("chains:run", Kind.READS))]
Reader = Annotated[Caller, Depends(Needs("chains:read"))]
Stopper = Annotated[Caller, Depends(Needs("runs:cancel"))]
Admin = Annotated[Caller, Depends(Needs("admin"))]


_RUN_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""The canonical form alone: `UUID()` would also take braces, `urn:` and dashes anywhere."""


async def known_template(slug: str, held: Held) -> ChainTemplate:
    if slug not in held.templates:
        raise RequestError(f"There is no chain {slug[:64]!r}.", code="chain_not_found")
    return held.templates[slug]


async def run_id(run_id: str) -> str:
    """Checked before the key, as the contract has it."""
    if not _RUN_ID.fullmatch(run_id):
        raise RequestError("The run id is not a UUID.", code="invalid_run_id")
    return run_id.lower()


async def idempotency_key(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="Repeat the call safely: one key, one run or delivery.")
    ] = None,
) -> str | None:
    """As it was sent. Two of them become a list, as with any header, and no key looks like one: which of them would
    have counted decides what is paid."""
    return None if idempotency_key is None else ", ".join(request.headers.getlist("idempotency-key"))


Template = Annotated[ChainTemplate, Depends(known_template)]
RunId = Annotated[str, Depends(run_id)]
IdempotencyKey = Annotated[str | None, Depends(idempotency_key)]
