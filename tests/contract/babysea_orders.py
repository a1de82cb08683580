"""What the tests order from BabySea, and how."""

from typing import Any

import httpx

from domain.media import InputFile
from domain.provider import Provider
from providers import babysea
from providers.babysea import MODELS
from tests.contract.adapters import Control, adapter

FLEX, PRO = MODELS["bfl/flux-2-flex"], MODELS["bfl/flux-1.1-pro"]
SCHNELL, DANCE = MODELS["bfl/flux-schnell"], MODELS["bytedance/seedance-1.5-pro"]
BOAT = {"generation_prompt": "a paper boat"}
DRIFT = {"generation_prompt": "it drifts", "generation_duration": 5, "generation_resolution": "480p"}
ADDRESS = InputFile(url="https://example.com/boat.png")
ID = "550e8400-e29b-41d4-a716-446655440001"


def sea(sandbox: Control, http: httpx.AsyncClient, **env: str) -> Provider:
    return adapter(babysea, sandbox.url, http, **env)


def complaint(**error: Any) -> dict[str, Any]:
    return {"status": "error", "request_id": "req_1", "error": error}
