"""What makes two requests the same: the run id made from an idempotency key, and a fingerprint of each part."""

import hashlib
import hmac
import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

import uuid_utils

from domain.errors import ConflictError
from domain.plan import ChainPlan
from domain.tokens import derive

_BYTES = 16


class Fingerprints:
    """Keyed, so that ids and prints say nothing about the callers' keys and inputs they were made from."""

    def __init__(self, secret: str) -> None:
        self._id_key = derive(secret, "run-id")
        self._print_key = derive(secret, "fingerprint")

    def run_id(self, caller: str, slug: str, idempotency_key: str | None) -> str:
        """The same caller, chain and key give the same id: the server then rejects the duplicate, without a lock."""
        if idempotency_key is None:
            return str(uuid_utils.uuid7())
        text = "\0".join((caller, slug, idempotency_key)).encode()
        raw = bytearray(hmac.new(self._id_key, text, hashlib.sha256).digest()[:_BYTES])
        raw[6] = raw[6] & 0x0F | 0x80  # version 8: made by its own rule
        raw[8] = raw[8] & 0x3F | 0x80  # RFC 9562 variant
        return str(UUID(bytes=bytes(raw)))

    def of(self, plan: ChainPlan) -> dict[str, str]:
        """The parts are named as the contract's `details.conflicts` names them."""
        # A deployment's fallbacks may change between two posts: only what the caller chose counts.
        used = sorted({step.candidates[0].provider for step in plan.steps})
        parts = {
            "input": plan.input,
            "metadata": plan.metadata,
            "webhook_url": plan.webhook_url,
            "byok_providers": used,
            "provider_mode": plan.mode,
            "options": asdict(plan.options),
            "retry": asdict(plan.retry) if plan.retry else None,
        }
        return {name: self._print(value) for name, value in parts.items()}

    def _print(self, value: Any) -> str:
        text = json.dumps(_canonical(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hmac.new(self._print_key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[: 2 * _BYTES]


def _canonical(value: Any) -> Any:
    """5.0 and 5 are the same JSON number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _canonical(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_canonical(child) for child in value]
    return value


def refuse_conflict(stored: dict[str, str], asked: dict[str, str]) -> None:
    conflicts = [name for name, value in asked.items() if stored.get(name) != value]
    if conflicts:
        raise ConflictError(
            f"This Idempotency-Key was used for a request with another {', '.join(conflicts)}.",
            facts={"conflicts": conflicts},
        )
