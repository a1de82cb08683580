"""The client of BabyChain on Temporal: start chains of image and video models, wait for them, fetch what they made."""

from babychain_client.async_client import AsyncBabyChain, AsyncRun
from babychain_client.client import BabyChain, Run
from babychain_client.errors import (
    ApiError,
    BabyChainError,
    Conflict,
    ConnectionFailed,
    DownloadFailed,
    Fault,
    InvalidRequest,
    NotAllowed,
    NotFound,
    RunNotSucceeded,
    ServiceUnavailable,
    TooManyRequests,
    WaitTimeout,
    WebhookInvalid,
)
from babychain_client.states import Estimate, Event, Money, Problem, RunState, StepState
from babychain_client.webhooks import WebhookEvent, verify_webhook

__all__ = [
    "ApiError",
    "AsyncBabyChain",
    "AsyncRun",
    "BabyChain",
    "BabyChainError",
    "Conflict",
    "ConnectionFailed",
    "DownloadFailed",
    "Estimate",
    "Event",
    "Fault",
    "InvalidRequest",
    "Money",
    "NotAllowed",
    "NotFound",
    "Problem",
    "Run",
    "RunNotSucceeded",
    "RunState",
    "ServiceUnavailable",
    "StepState",
    "TooManyRequests",
    "WaitTimeout",
    "WebhookEvent",
    "WebhookInvalid",
    "verify_webhook",
]
