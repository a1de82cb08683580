"""Result files: on another host name than the API, behind a signed address that dies."""

import hashlib
import hmac
import math
import secrets
import time
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from sandbox.config import Config
from sandbox.faults import CONNECTIONS, Faults, Rule
from sandbox.ledger import Row
from sandbox.media import Medium
from sandbox.spoil import Call, answered

_KEPT_BYTES = 1 << 30  # a sandbox left running for days must not fill memory: the oldest files go early
_EXPIRED = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


@dataclass(eq=False)
class _File:
    medium: Medium
    provider: str
    model: str
    row: Row
    expires: int
    downloads_left: int | None


class Results:
    def __init__(self, config: Config, faults: Faults) -> None:
        self._config = config
        self._faults = faults
        self._secret = secrets.token_bytes(32)
        self._files: dict[str, _File] = {}
        self._bytes = 0

    def publish(self, medium: Medium, *, provider: str, row: Row, seconds: float, downloads: int | None = None) -> str:
        """The address of a new result file, good for `seconds` and, where a provider counts, so many downloads."""
        name = f"{secrets.token_hex(8)}.{medium.extension}"
        expires = math.ceil(time.time() + seconds)
        self._files[name] = _File(medium, provider, row.model, row, expires, downloads)
        self._bytes += len(medium.data)
        while self._bytes > _KEPT_BYTES and len(self._files) > 1:
            self._drop(next(iter(self._files)))
        # `refuse` and `bad_tls` are about the connection, so they must be in the address that is handed out.
        rule = self._faults.take(provider, row.model, "result", CONNECTIONS)
        return f"{address(self._config, rule)}/_results/{name}?expires={expires}&sig={self._signature(name, expires)}"

    def _drop(self, name: str) -> None:
        self._bytes -= len(self._files.pop(name).medium.data)

    def _signature(self, name: str, expires: int) -> str:
        return hmac.new(self._secret, f"{name}:{expires}".encode(), hashlib.sha256).hexdigest()[:32]

    async def fetch(self, name: str, request: Request) -> Response:
        file = self._files.get(name)
        if file is None or not self._is_signed(name, file, request):
            return _denied()
        file.row.downloads += 1
        file.row.key_on_download |= "x-key" in request.headers or "authorization" in request.headers

        async def send(rule: Rule | None) -> Response:
            return self._send(name, file, rule)

        call = Call(
            file.provider,
            file.row.model,
            "result",
            error=lambda status, _: Response(status_code=status),
            unfit=CONNECTIONS,  # decided when the address was handed out
        )
        return await answered(self._faults, call, send)

    def _is_signed(self, name: str, file: _File, request: Request) -> bool:
        return hmac.compare_digest(request.query_params.get("sig", ""), self._signature(name, file.expires))

    def _send(self, name: str, file: _File, rule: Rule | None) -> Response:
        if time.time() >= file.expires:
            self._drop(name)
            return _denied()
        if rule is not None and rule.kind == "expired":
            return _denied()
        if file.downloads_left is not None:
            if file.downloads_left == 0:
                return _denied()
            file.downloads_left -= 1
        data = b"" if rule is not None and rule.kind == "empty" else file.medium.data
        return Response(data, media_type=file.medium.type)


def address(config: Config, rule: Rule | None) -> str:
    """The start of a URL we hand out: the other host name, or the second port where connecting fails."""
    if rule is None:
        return config.other_url
    scheme = "https" if rule.kind == "bad_tls" else "http"
    return f"{scheme}://{config.other_host}:{config.fault_port}"


def _denied() -> Response:
    return Response(_EXPIRED, 403, media_type="application/xml")


def router(results: Results) -> APIRouter:
    routes = APIRouter(prefix="/_results")

    @routes.get("/{name}")
    async def fetch(name: str, request: Request) -> Response:
        return await results.fetch(name, request)

    return routes
