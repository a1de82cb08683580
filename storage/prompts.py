"""Ended runs by the words that their callers sent."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.archive import ArchivedRun
from storage.database import answering_database
from storage.tables import METADATA

_RUNS = METADATA.tables["runs"]

_LONGEST_READ = 500
"""Rows whose plan holds the words, be it as a field's name: more are not looked at for one answer."""


class Prompts:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def search(self, caller: str, words: str, limit: int) -> list[ArchivedRun]:
        """A caller's ended runs in whose input these words stand, the newest end first.

        The database narrows, by reading: ten thousand plans are some thirty megabytes of text.
        """
        columns = [column for column in _RUNS.c if column.name != "callback_body"]
        written = json.dumps(words, ensure_ascii=False)[1:-1]
        query = (
            select(*columns)
            .where(_RUNS.c.caller == caller, _RUNS.c.plan.icontains(written, autoescape=True))
            .order_by(_RUNS.c.ended_at.desc(), _RUNS.c.run_id)
            .limit(_LONGEST_READ)
        )
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
        found = (ArchivedRun(**row._mapping) for row in rows)
        return [run for run, _ in zip(_saying(found, words.casefold()), range(limit), strict=False)]


def _saying(runs: Iterator[ArchivedRun], words: str) -> Iterator[ArchivedRun]:
    for run in runs:
        if any(words in text.casefold() for text in _texts(json.loads(run.plan).get("input"))):
            yield run


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)
