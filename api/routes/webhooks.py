"""What providers report. A webhook is a nudge: it makes the run look at its job, and no more is believed of it."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request

from api.bodies import read_bytes
from api.jobs import find_job
from api.repeats import Repeats
from api.services import Held
from domain.errors import RequestError, SetupError

router = APIRouter(tags=["webhooks"])

_MIB = 1024 * 1024
_BABYSEA = "babysea"
_seen = Repeats()


@router.post("/api/webhooks/babysea", summary="Receive BabySea's account webhook", include_in_schema=False)
async def receive_babysea(request: Request, held: Held) -> dict[str, Any]:
    """No token names a run here: the generation's id does, once the signature has been verified.

    BabySea gets a 2xx for whatever will not change by sending it again.
    """
    body = await read_bytes(request, limit=_MIB)
    if _BABYSEA not in held.providers:
        raise SetupError("This server has no key of BabySea: set BABYSEA_API_KEY.", code="webhook_not_configured")
    notice = held.providers[_BABYSEA].notice(request.headers, body, datetime.now(UTC))
    if notice.job_id is None:
        return _enveloped({"ignored": True, "received": True})
    delivery = request.headers.get("x-babysea-delivery-id", "")
    if delivery in _seen:
        return _enveloped({"duplicate": True, "received": True})
    # That a job lives is no news to a run that can be found by it, so nobody waits for that.
    found = await find_job(held.runs.reader, _BABYSEA, notice.job_id, patiently=notice.ended)
    if found is not None and notice.ended:
        await held.runs.report(found.attempt, notice)
    _seen.add(delivery)
    return _enveloped(
        {
            "received": True,
            "run_id": found.attempt.run_id if found else None,
            "status": str(found.status) if found else None,
        }
    )


def _enveloped(data: dict[str, Any]) -> dict[str, Any]:
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"status": "success", "data": data, "timestamp": moment}


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
