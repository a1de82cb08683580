"""Ended runs, kept after Temporal has forgotten them."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.labels import Label, LabelKind
from domain.ledger import AttemptRecord
from storage.database import answering_database
from storage.ledger import ATTEMPTS, RUN_TAGS, Ledger
from storage.retries import RETRIES
from storage.spending import release
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

RUN_LABELS = Table(
    "run_labels",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("caller", String(255), nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
)
Index(
    "runs_of_label",
    RUN_LABELS.c.caller,
    RUN_LABELS.c.kind,
    RUN_LABELS.c.value,
    RUN_LABELS.c.ended_at.desc(),
    RUN_LABELS.c.run_id,
)
# Of several labels, the kind that names the fewest runs is walked; the others are looked up.
_RAREST_FIRST = tuple(reversed(LabelKind))


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


class Place(NamedTuple):
    """Where a page of the list ends."""

    ended_at: datetime
    run_id: str


@dataclass(frozen=True)
class Search:
    """Which ended runs of a caller are wanted. `until` is the newest end that counts."""

    caller: str
    until: datetime
    labels: frozenset[Label] = frozenset()
    statuses: frozenset[str] = frozenset()
    """One of these."""
    created_after: datetime | None = None
    created_before: datetime | None = None


class Archive:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.ledger = Ledger(engine)

    async def put(
        self,
        run: ArchivedRun,
        attempts: Sequence[AttemptRecord] = (),
        tags: Sequence[str] = (),
        labels: Collection[Label] = (),
        retry_of: str | None = None,
    ) -> bool:
        """Whether this was the first write. It wins: a callback that is sent again must carry the same bytes.

        The way from `retry_of` to this run was written when it started, unless that came to nothing.
        """
        insert = insert_into(self._engine)
        shared = {"run_id": run.run_id, "caller": run.caller, "ended_at": run.ended_at}
        rows: list[tuple[Table, list[dict[str, Any]]]] = [
            (ATTEMPTS, [_written(attempt) for attempt in attempts]),
            (RUN_TAGS, [{"run_id": run.run_id, "tag": tag} for tag in dict.fromkeys(tags)]),
            (RUN_LABELS, [shared | {"kind": str(label.kind), "value": label.value} for label in labels]),
            (
                RETRIES,
                [{"run_id": retry_of, "retried_by": run.run_id, "created_at": run.created_at}] if retry_of else [],
            ),
        ]
        with answering_database():
            async with self._engine.begin() as connection:
                first = await connection.execute(insert(_RUNS).values(asdict(run)).on_conflict_do_nothing())
                await connection.execute(release(run.run_id))
                for table, values in rows:
                    if values:
                        await connection.execute(insert(table).on_conflict_do_nothing(), values)
        return first.rowcount == 1

    async def get(self, run_id: str) -> ArchivedRun | None:
        with answering_database():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(_RUNS).where(_RUNS.c.run_id == run_id))).one_or_none()
        return None if row is None else ArchivedRun(**row._mapping)

    async def page(self, search: Search, after: Place | None, limit: int) -> list[ArchivedRun]:
        """The newest ends first. Callback bodies are left out."""
        labels = sorted(search.labels, key=lambda label: _RAREST_FIRST.index(label.kind))
        source = RUN_LABELS if labels else _RUNS
        ended, run_id = source.c.ended_at, source.c.run_id
        columns = [column for column in _RUNS.c if column.name != "callback_body"]
        query = select(*columns).where(source.c.caller == search.caller, ended <= search.until)
        if labels:
            query = query.join_from(RUN_LABELS, _RUNS, _RUNS.c.run_id == run_id)
            query = query.where(RUN_LABELS.c.kind == str(labels[0].kind), RUN_LABELS.c.value == labels[0].value)
        for label in labels[1:]:
            other = RUN_LABELS.alias()
            query = query.where(
                exists().where(other.c.run_id == run_id, other.c.kind == str(label.kind), other.c.value == label.value)
            )
        if search.statuses:
            query = query.where(_RUNS.c.status.in_(search.statuses))
        if search.created_after is not None:
            query = query.where(_RUNS.c.created_at >= search.created_after)
        if search.created_before is not None:
            query = query.where(_RUNS.c.created_at < search.created_before)
        if after is not None:
            query = query.where(or_(ended < after.ended_at, and_(ended == after.ended_at, run_id > after.run_id)))
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query.order_by(ended.desc(), run_id).limit(limit))).all()
        return [ArchivedRun(**row._mapping) for row in rows]

    async def held(self, run_ids: Collection[str], until: datetime) -> set[str]:
        """Which of these runs are here, ended by then."""
        if not run_ids:
            return set()
        query = select(_RUNS.c.run_id).where(_RUNS.c.run_id.in_(run_ids), _RUNS.c.ended_at <= until)
        with answering_database():
            async with self._engine.connect() as connection:
                return set((await connection.execute(query)).scalars())


def _written(attempt: AttemptRecord) -> dict[str, Any]:
    """A job's id is its provider's own text, and PostgreSQL has no place for NUL."""
    return {key: value.replace("\0", "") if isinstance(value, str) else value for key, value in asdict(attempt).items()}
