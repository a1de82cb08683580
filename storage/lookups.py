"""From what support is told, a provider's job id or a caller's request id, to the run."""

from dataclasses import dataclass

from sqlalchemy import Column, Index, String, Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import answering_database
from storage.ledger import ATTEMPTS
from storage.tables import METADATA, insert_into

REQUESTS = Table(
    "run_requests",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("client_request_id", String(128), nullable=False),
)
Index("run_requests_by_id", REQUESTS.c.client_request_id)

_MOST = 100


@dataclass(frozen=True)
class Trace:
    run_id: str
    step: str | None = None
    attempt: int | None = None


class Lookups:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def note_request(self, run_id: str, client_request_id: str) -> None:
        insert = insert_into(self._engine)(REQUESTS)
        values = insert.values(run_id=run_id, client_request_id=client_request_id).on_conflict_do_nothing()
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(values)

    async def by_job(self, job: str) -> list[Trace]:
        columns = (ATTEMPTS.c.run_id, ATTEMPTS.c.step, ATTEMPTS.c.number.label("attempt"))
        query = select(*columns).where(ATTEMPTS.c.job == job).order_by(ATTEMPTS.c.started_at.desc()).limit(_MOST)
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
        return [Trace(**row._mapping) for row in rows]

    async def by_request(self, client_request_id: str) -> list[Trace]:
        query = select(REQUESTS.c.run_id).where(REQUESTS.c.client_request_id == client_request_id).limit(_MOST)
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
        return [Trace(**row._mapping) for row in rows]
