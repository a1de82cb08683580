"""What every activity of an attempt needs: its provider, and the words by which log lines name it."""

from collections.abc import Mapping

import structlog

from activities.calls import AttemptRef
from domain.errors import BadCredentials, Refused, StepError
from domain.provider import Provider

log = structlog.get_logger("babychain.steps")

_NO_KEY = "byok_credentials_missing"


def starter(providers: Mapping[str, Provider], of: AttemptRef) -> Provider:
    """Who is to start a job. Without its key, that is for another candidate to do."""
    if of.provider not in providers:
        raise BadCredentials(f"This worker has no key for {of.provider}.", code=_NO_KEY)
    return providers[of.provider]


def keeper(providers: Mapping[str, Provider], of: AttemptRef) -> Provider:
    """Who has a job that was, or may have been, started. Without its key, that is for another worker to ask: the job
    may well go on, and one of another candidate beside it would be paid twice."""
    if of.provider not in providers:
        raise Refused(f"This worker has no key for {of.provider}.", code=_NO_KEY)
    return providers[of.provider]


def named(of: AttemptRef) -> dict[str, str | int]:
    return {"run_id": of.run_id, "step": of.step, "attempt": of.attempt, "provider": of.provider, "model": of.model}


def log_error(event: str, of: AttemptRef, error: StepError) -> None:
    log.warning(event, **named(of), code=error.reason, error=error.message)
