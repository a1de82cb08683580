"""Every failure we can name.

BabyChainError
├── RequestError        the caller's request is wrong                   400–416
├── AuthError           who asks is unknown, or may not                 401, 403
├── ConflictError       the request contradicts an earlier one          409
├── LimitError          too much, too fast                              429
├── SetupError          this deployment is set up wrongly               500
├── UnavailableError    something we need does not answer               503
└── StepError           a provider job or its output; says what is next
    ├── Refused             nothing was started or changed; ask again here
    ├── StartUnknown        a paid job may exist
    ├── NeverStarted        the provider's own list shows that no job was started
    ├── InputRejected       the provider will not take this input
    ├── Moderated           refused by a content filter
    ├── CreditExhausted     the account cannot pay
    ├── BadCredentials      the key is missing, wrong, or lacks a right
    ├── ModelUnavailable    this account has no such model
    ├── ProviderPaused      nothing is sent there for now; nothing was
    ├── JobFailed           the job ran and failed
    ├── JobCanceled         somebody canceled the job at the provider
    ├── JobExpired          the provider forgot or gave up the job
    ├── DeadlineExceeded    our own deadline passed
    ├── UnexpectedResponse  an answer no sheet describes
    └── OutputInvalid       the output is not the media that was promised

Our code raises these. `activities/errors.py` turns them into Temporal's errors, `api/errors.py` into HTTP.
Messages are safe to show to a caller: they never hold a value that could be a secret.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class Next(StrEnum):
    """What the workflow does after a step error. This column of the classes below is the failover table."""

    RETRY_HERE = "retry_here"
    NEXT_CANDIDATE = "next_candidate"
    END_STEP = "end_step"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: where it stands and what to do about it."""

    path: tuple[str | int, ...]
    message: str


class BabyChainError(Exception):
    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retry_after: float | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = code or self.code
        self.retry_after = retry_after
        self.facts: dict[str, Any] = dict(facts or {})


class RequestError(BabyChainError):
    code = "invalid_request"

    def __init__(self, message: str, *, faults: Sequence[Fault] = (), **more: Any) -> None:
        super().__init__(message, **more)
        self.faults = tuple(faults)


class AuthError(BabyChainError):
    code = "invalid_api_key"


class ConflictError(BabyChainError):
    code = "idempotency_conflict"


class LimitError(BabyChainError):
    code = "rate_limited"
    retryable = True


class SetupError(BabyChainError):
    code = "configuration_error"


class UnavailableError(BabyChainError):
    code = "temporal_unreachable"
    retryable = True


class StepError(BabyChainError):
    code = "step_failed"
    next: ClassVar[Next] = Next.NEXT_CANDIDATE


class Refused(StepError):
    code = "provider_unavailable"
    retryable = True
    next = Next.RETRY_HERE


class StartUnknown(StepError):
    code = "start_outcome_unknown"
    next = Next.END_STEP


class NeverStarted(StepError):
    code = "provider_never_started"


class InputRejected(StepError):
    code = "provider_invalid_request"
    next = Next.END_STEP


class Moderated(StepError):
    code = "provider_content_moderated"
    next = Next.END_STEP


class CreditExhausted(StepError):
    code = "provider_quota_exceeded"


class BadCredentials(StepError):
    code = "provider_unauthorized"


class ModelUnavailable(StepError):
    code = "provider_not_found"


class ProviderPaused(StepError):
    code = "provider_paused"


class JobFailed(StepError):
    code = "provider_failed"


class JobCanceled(StepError):
    code = "step_canceled"
    next = Next.END_STEP


class JobExpired(StepError):
    code = "provider_expired"


class DeadlineExceeded(StepError):
    code = "step_running_timed_out"
    next = Next.END_STEP


class UnexpectedResponse(StepError):
    code = "provider_unexpected_response"


class OutputInvalid(StepError):
    code = "provider_output_invalid"
