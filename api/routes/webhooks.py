"""What providers report. A webhook is a nudge: it makes the run look at its job, and no more is believed of it."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request

from api.bodies import read_bytes
from api.services import Held
from domain.errors import RequestError

router = APIRouter(tags=["webhooks"])

_MIB = 1024 * 1024


@router.post("/api/webhooks/{provider}/{token}", summary="Receive a provider's report", include_in_schema=False)
async def receive_webhook(provider: str, token: str, request: Request, held: Held) -> dict[str, bool]:
    """The token alone names run, step and attempt. Unknown, foreign and malformed tokens get the same answer."""
    attempt = held.addresses.read(provider, token)
    if provider not in held.providers or attempt is None:
        raise RequestError("No such route.", code="not_found")
    body = await read_bytes(request, limit=_MIB)
    notice = held.providers[provider].notice(request.headers, body, datetime.now(UTC))
    await held.runs.report(attempt, notice)
    return {"received": True}
