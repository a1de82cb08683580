"""A statement that is canceled on its way must not keep SQLite's one write lock."""

import asyncio
import gc
import random
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.provider import Job
from storage.database import open_database, upgrade
from storage.provider_gate import ProviderGate
from storage.spending import Spending

NOW = datetime.now(UTC)


def is_locked(file: Path) -> bool:
    connection = sqlite3.connect(file, timeout=1.0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE").connection.rollback()
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


async def test_a_canceled_transaction_gives_the_database_back(tmp_path: Path) -> None:
    file = tmp_path / "babychain.db"
    await upgrade(f"sqlite:///{file}")
    engine = open_database(f"sqlite:///{file}")
    gate, spending = ProviderGate(engine), Spending(engine)
    works: list[Callable[[], Awaitable[object]]] = [
        lambda: gate.leave("acme", "holder", NOW),
        lambda: gate.enter("acme", "holder", NOW, 1),
        lambda: gate.forgotten("acme", NOW + timedelta(minutes=1)),
        lambda: spending.reserve("run", "caller", 1, [], NOW, NOW),
    ]
    moments = random.Random(7)  # guards nothing
    gc.disable()  # it would give the lock back too, some time
    try:
        for round_ in range(80):
            await gate.hold("acme", "holder", NOW, NOW + timedelta(seconds=30), Job("job"))
            work = asyncio.ensure_future(works[round_ % len(works)]())
            await asyncio.wait({work}, timeout=moments.random() * 0.006)
            work.cancel()
            await asyncio.wait({work})
            assert not is_locked(file), f"locked after round {round_}"
    finally:
        gc.enable()
        await engine.dispose()
