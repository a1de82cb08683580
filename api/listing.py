"""The list of a caller's runs: those under way first, the newest on top, then the ended ones by the time of their end.

Runs under way come from Temporal's visibility, ended ones from the archive. Visibility follows a create within a
second or so: until then a new run can be read, but is not yet listed. The first page fixes a moment, and every later
page divides the runs as they stood then: what was under way belongs to the first part even if it has ended since.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic_core import PydanticCustomError

from api.cursors import Cursor, Cursors
from api.moments import Moment
from domain.errors import SetupError
from domain.labels import Label, LabelKind, labels_of
from domain.plan import ChainPlan
from domain.resources import run_resource
from domain.runs import RunStatus, Snapshot
from storage.archive import Archive, ArchivedRun, Place, Search
from temporal import names
from temporal.reading import RunReader, StoredRun

Json = dict[str, Any]

URL = "/api/v1/chains/runs"

_MOST_LOOKS = 5
"""How often one page asks visibility, when filters pass few of its rows. The page may then be short, or empty."""

_ARCHIVING = timedelta(seconds=10)
"""A run that has just closed may not be in the archive yet."""

_FINDING = timedelta(minutes=10)
"""One that was ended from outside waits for somebody to find it."""

_CLOCKS = timedelta(minutes=1)
"""How far the API's clock may be from the server's."""

_PROMPT = 200
"""Characters of a run's prompt that its row shows."""
_PLAIN = re.compile(r"[A-Za-z0-9_.:/=@+ -]*")
"""What may stand in a query. The server's own quoting is not to be trusted with more (seen with 1.29.1)."""

_PLAN = TypeAdapter(ChainPlan)
_SNAPSHOT = TypeAdapter(Snapshot)
_OUTSIDE = "ExecutionStatus IN ('Terminated', 'TimedOut')"
_ATTRIBUTES = {
    LabelKind.TEMPLATE: names.TEMPLATE.name,
    LabelKind.TAG: names.TAGS.name,
    LabelKind.METADATA: names.METADATA.name,
}

Word = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Words = Annotated[list[Word], Field(max_length=10)]


def a_pair(value: str) -> str:
    if "=" not in value:
        # It would quietly find nothing.
        raise PydanticCustomError("pair", "must be key=value")
    return value


Pairs = Annotated[list[Annotated[Word, AfterValidator(a_pair)]], Field(max_length=10)]


class RunQuery(BaseModel):
    """A run is listed when everything named here is true of it; of several `status` one is enough."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=8192, description="`next_cursor` of the page before.")
    status: list[RunStatus] = Field([], description="One of these.")
    template: Word | None = Field(None, description="A chain's slug.")
    model: Word | None = Field(None, description="A model that a step begins with, or has tried.")
    provider: Word | None = Field(None, description="The provider of such a model.")
    tag: Words = Field([], description="An entry of `metadata.tags`. Several: all of them.")
    metadata: Pairs = Field([], description="`key=value` of a scalar in `metadata`. Several: all of them.")
    created_after: Moment | None = Field(None, description="Created then or later.")
    created_before: Moment | None = Field(None, description="Created earlier.")

    @property
    def labels(self) -> frozenset[Label]:
        single = {LabelKind.TEMPLATE: self.template, LabelKind.MODEL: self.model, LabelKind.PROVIDER: self.provider}
        several = {LabelKind.TAG: self.tag, LabelKind.METADATA: self.metadata}
        found = {Label(kind, value) for kind, value in single.items() if value is not None}
        return frozenset(found | {Label(kind, value) for kind, values in several.items() for value in values})

    def scope(self, caller: str) -> str:
        """What a cursor belongs to."""
        return caller + "\0" + self.model_dump_json(exclude={"limit", "cursor"})

    def wants(self, run: StoredRun, caller: str) -> bool:
        created = run.plan.created_at
        return (
            run.plan.caller == caller
            and (not self.status or run.snapshot.status in self.status)
            and self.labels <= labels_of(run.plan, run.snapshot)
            and (self.created_after is None or created >= self.created_after)
            and (self.created_before is None or created < self.created_before)
        )

    def ended(self, caller: str, until: datetime) -> Search | None:
        """What to ask the archive, unless only runs under way are wanted."""
        statuses = frozenset(str(status) for status in self.status if status.ended)
        if self.status and not statuses:
            return None
        labels = self.labels
        if len(statuses) == 1:
            # A label leads to its runs; several statuses can only be looked for.
            labels, statuses = labels | {Label(LabelKind.STATUS, *statuses)}, frozenset()
        return Search(caller, until, labels, statuses, self.created_after, self.created_before)


@dataclass(frozen=True)
class Listing:
    reader: RunReader
    archive: Archive
    cursors: Cursors
    asset_url: Callable[[str], str]

    async def page(self, caller: str, query: RunQuery) -> Json:
        scope = query.scope(caller)
        at = self.cursors.unseal(query.cursor, scope) if query.cursor else Cursor(until=datetime.now(UTC))
        runs: list[StoredRun] = []
        if at.after is None:
            runs, at = await self._under_way(caller, query, at)
        more = at.active is not None
        if not more and (search := query.ended(caller, at.until)) is not None:
            ended, at, more = await self._ended(search, at, query.limit - len(runs))
            runs += ended
        return {
            "object": "list",
            "data": [list_row(run, self.asset_url) for run in runs],
            "has_more": more,
            "next_cursor": self.cursors.seal(at, scope) if more else None,
            "url": URL,
        }

    async def _under_way(self, caller: str, query: RunQuery, at: Cursor) -> tuple[list[StoredRun], Cursor]:
        runs: list[StoredRun] = []
        for _ in range(_MOST_LOOKS):
            asked = visibility_query(caller, query, at.until)
            found = await self.reader.find(asked, query.limit - len(runs), at.active)
            wanted = [run for run in found.runs if query.wants(run, caller) and not at.has_shown(run.plan.run_id)]
            archived = await self.archive.held([run.plan.run_id for run in wanted if run.snapshot.ended], at.until)
            new = _once(run for run in wanted if run.plan.run_id not in archived)
            runs += new
            seen = at.showing([run.plan.run_id for run in new])
            at = at.model_copy(update={"active": found.next_page, "seen": seen})
            if at.active is None or len(runs) >= query.limit:
                break
        return runs, at

    async def _ended(self, search: Search, at: Cursor, room: int) -> tuple[list[StoredRun], Cursor, bool]:
        """One row more than there is room for says whether another page is worth asking for."""
        after = at.after or Place(at.until, "")
        rows = await self.archive.page(search, after, room + 1)
        shown = rows[:room]
        if shown:
            after = Place(shown[-1].ended_at, shown[-1].run_id)
        runs = [read_archived(run) for run in shown if not at.has_shown(run.run_id)]
        return runs, at.model_copy(update={"after": after}), len(rows) > room


def list_row(run: StoredRun, asset_url: Callable[[str], str]) -> Json:
    """A run without what its caller sent, but for its first words: that never changes, and may be long."""
    shown = run_resource(run.plan, run.snapshot, asset_url)
    row = {key: value for key, value in shown.items() if key not in ("input", "metadata")}
    if prompt := _first_prompt(run.plan):
        row["prompt"] = prompt[:_PROMPT]
    return row


def _first_prompt(plan: ChainPlan) -> str | None:
    for step in plan.steps:
        params = plan.input.get(f"{step.key}_params", {})
        texts = [item.get("text") for item in params.get("content", []) if isinstance(item, dict)]
        said = [plan.input.get(f"{step.key}_prompt"), params.get("generation_prompt"), params.get("prompt"), *texts]
        if prompt := next((text for text in said if isinstance(text, str) and text.strip()), None):
            return prompt
    return None


def read_archived(run: ArchivedRun) -> StoredRun:
    return StoredRun(_PLAN.validate_json(run.plan), _SNAPSHOT.validate_json(run.snapshot), {})


def visibility_query(caller: str, query: RunQuery, until: datetime) -> str:
    """Only narrows the search: every row is looked at again."""
    if not _PLAIN.fullmatch(caller):
        raise SetupError("The id of this caller has characters that runs can't be searched by.")
    terms = [
        f"{names.CALLER.name} = '{caller}'",
        f"(ExecutionStatus = 'Running' OR CloseTime > '{(until - _ARCHIVING).isoformat()}' OR ({_OUTSIDE}"
        f" AND CloseTime > '{(until - _FINDING).isoformat()}'))",
    ]
    if query.status:
        statuses = ", ".join(f"'{status}'" for status in query.status)
        terms.append(f"({names.STATUS.name} IN ({statuses}) OR {_OUTSIDE})")
    terms += [
        f"{_ATTRIBUTES[label.kind]} = '{label.value}'"
        for label in sorted(query.labels)
        if label.kind in _ATTRIBUTES and _PLAIN.fullmatch(label.value)
    ]
    if query.created_after is not None:
        terms.append(f"StartTime >= '{(query.created_after - _CLOCKS).isoformat()}'")
    if query.created_before is not None:
        terms.append(f"StartTime <= '{(query.created_before + _CLOCKS).isoformat()}'")
    return " AND ".join(terms)


def _once(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """A run that an operator has reset is there twice, the living one first."""
    return list({run.plan.run_id: run for run in reversed(list(runs))}.values())[::-1]
