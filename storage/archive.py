"""Ended runs, kept after Temporal has forgotten them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ledger import AttemptRecord
from storage.database import answering_database
from storage.ledger import ATTEMPTS, RUN_TAGS
from storage.tables import METADATA, UtcDateTime, insert_into

_RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("caller", String(255), nullable=False),
    Column("template", String(255), nullable=False),
    Column("status", String(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("plan", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("callback_body", LargeBinary),
)
Index("runs_of_caller", _RUNS.c.caller, _RUNS.c.ended_at.desc(), _RUNS.c.run_id)


@dataclass(frozen=True)
class ArchivedRun:
    """`plan` and `snapshot` are JSON; `callback_body` is what was, or would be, sent, byte for byte."""

    run_id: str
    caller: str
    template: str
    status: str
    created_at: datetime
    ended_at: datetime
    plan: str
    snapshot: str
    callback_body: bytes | None = None


class Archive:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, run: ArchivedRun, attempts: Sequence[AttemptRecord] = (), tags: Sequence[str] = ()) -> bool:
        """Whether this was the first write. It wins: a callback that is sent again must carry the same bytes."""
        insert = insert_into(self._engine)
        rows: list[tuple[Table, list[dict[str, Any]]]] = [
            (ATTEMPTS, [asdict(attempt) for attempt in attempts]),
            (RUN_TAGS, [{"run_id": run.run_id, "tag": tag} for tag in dict.fromkeys(tags)]),
        ]
        with answering_database():
            async with self._engine.begin() as connection:
                first = await connection.execute(insert(_RUNS).values(asdict(run)).on_conflict_do_nothing())
                for table, values in rows:
                    if values:
                        await connection.execute(insert(table).on_conflict_do_nothing(), values)
        return first.rowcount == 1

    async def get(self, run_id: str) -> ArchivedRun | None:
        with answering_database():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(_RUNS).where(_RUNS.c.run_id == run_id))).one_or_none()
        return None if row is None else ArchivedRun(**row._mapping)
