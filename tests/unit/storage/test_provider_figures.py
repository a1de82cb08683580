"""Figures from attempts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import open_database
from storage.ledger import ATTEMPTS
from storage.provider_figures import ProviderFigures

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def attempt(
    number: int, seconds: float, outcome: str = "succeeded", *, age: float = 0.0, mode: str = "byok"
) -> dict[str, Any]:
    ended = NOON - timedelta(seconds=age)
    return {
        "run_id": f"run-{mode}-{outcome}-{age:g}",
        "step": "step_0",
        "number": number,
        "mode": mode,
        "caller": "key-test",
        "template": "chain1",
        "kind": "image",
        "provider": "acme",
        "model": "acme/clip",
        "outcome": outcome,
        "code": None if outcome == "succeeded" else f"code_{outcome}",
        "started_at": ended - timedelta(seconds=seconds),
        "ended_at": ended,
    }


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_database(database_url)
    yield opened
    await opened.dispose()


async def test_percentiles_success_share_and_the_mix_of_errors_of_a_window(engine: AsyncEngine) -> None:
    rows = [
        *(attempt(n, seconds=n) for n in range(1, 101)),
        *(attempt(n, 0.5, "failed") for n in range(3)),
        attempt(1, 0.5, "unknown"),
        attempt(1, 0.5, "canceled"),
        attempt(1, 9_999, age=7_200),
        attempt(1, 9_999, mode="sandbox"),
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(ATTEMPTS), rows)
    figures = ProviderFigures(engine)
    hour = (await figures.since(NOON - timedelta(hours=1), "byok"))["acme"]
    assert (hour.attempts, hour.succeeded) == (105, 100)
    assert hour.success_share == pytest.approx(100 / 104)
    assert hour.p50 == pytest.approx(50, abs=0.01)
    assert hour.p95 == pytest.approx(95, abs=0.01)
    assert hour.errors == {"code_failed": 3, "code_unknown": 1, "code_canceled": 1}
    day = (await figures.since(NOON - timedelta(days=1), "byok"))["acme"]
    assert day.attempts == 106
    assert not await figures.since(NOON + timedelta(seconds=1), "byok")
