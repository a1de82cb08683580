"""The cron fallback, for those who still call it: nothing here needs it to make progress."""

import hmac
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase

from api import examples
from api.bodies import read_object
from api.envelopes import envelope
from api.services import Held, address_of
from domain.errors import AuthError, Fault, RequestError, SetupError

router = APIRouter(tags=["internal"])

_MOST = 1
"""The contract's own bound: one run a call."""
_DIGITS = re.compile(r"[0-9]{1,9}")


class CronSecret(SecurityBase):
    """A dependency: who asks holds the cron secret."""

    scheme_name = "cron"
    model = HTTPBearer(description="The deployment's cron secret.")

    async def __call__(self, request: Request, held: Held) -> None:
        if held.cron_secret is None:
            raise SetupError("Set BABYCHAIN_CRON_SECRET to use this route.", code="cron_not_configured")
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, f"Bearer {held.cron_secret}".encode()):
            if given:
                held.keys.wrong.count(address_of(request))
            raise AuthError("Send the cron secret as 'Authorization: Bearer <secret>'.", code="unauthorized")


Authorized = Annotated[None, Depends(CronSecret())]


_LIMIT: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": _MOST, "default": 1}
_IN_QUERY = {"parameters": [{"name": "limit", "in": "query", "schema": _LIMIT, "description": "How many runs."}]}
_IN_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"limit": _LIMIT | {"type": ["integer", "null"]}}},
                "example": {"limit": 1},
            }
        },
    }
}


@router.get(
    "/api/cron/process-runs",
    summary="Nudge the oldest waiting run",
    responses=examples.responses(400, 401),
    openapi_extra=_IN_QUERY,
)
async def process_runs(request: Request, _authorized: Authorized, held: Held) -> JSONResponse:
    """Makes the run that has waited longest look at its job now. Nothing needs it; `limit` is 1, as it ever was."""
    return await _process(held, request.query_params.get("limit"))


@router.post(
    "/api/cron/process-runs",
    summary="Nudge the oldest waiting run, asked in a body",
    responses=examples.responses(400, 401),
    openapi_extra=_IN_BODY,
)
async def process_runs_by_post(request: Request, _authorized: Authorized, held: Held) -> JSONResponse:
    """The same, with `limit` in the body."""
    return await _process(held, (await read_object(request)).get("limit"))


async def _process(held: Held, asked: Any) -> JSONResponse:
    processed = await held.nudger.nudge(_limit(asked))
    return envelope({"processed": processed, "processed_count": len(processed)})


def _limit(asked: Any) -> int:
    if asked is None:
        return 1
    number = int(asked) if isinstance(asked, str) and _DIGITS.fullmatch(asked) else asked
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= _MOST:
        raise RequestError("Request validation failed.", faults=[Fault(("limit",), f"must be {_MOST}")])
    return number
