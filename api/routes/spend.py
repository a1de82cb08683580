"""What has been spent, by day, caller, model, provider, template or tag: as JSON and as CSV."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from api import examples
from api.moments import Day
from api.services import Held, Reader
from domain.errors import AuthError, Fault, RequestError
from domain.money import dollars
from storage.spending import By, SpendRow

router = APIRouter(tags=["money"])

Json = dict[str, Any]

_COLUMNS = ("group", "attempts", "useful", "wasted", "unpriced_attempts")


@router.get(
    "/api/v1/spend",
    summary="Read what was spent",
    response_model=None,
    responses=examples.responses(200, 400, 401, 403, 503),
)
async def get_spend(
    caller: Reader,
    held: Held,
    by: Annotated[By, Query(description="What the amounts are grouped by.")] = By.DAY,
    since: Annotated[Day | None, Query(description="First day (UTC); 30 days ago by default.")] = None,
    until: Annotated[Day | None, Query(description="Last day (UTC), counted in; today by default.")] = None,
    of: Annotated[Literal["me", "everyone"], Query(description="`everyone` needs the scope admin.")] = "me",
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Ended attempts, in US dollars. `wasted` is what failed, canceled and unknown attempts cost or may have cost;
    `unpriced_attempts` may have cost something that nobody publishes. A run of several tags counts under each."""
    if of == "everyone" and "admin" not in caller.scopes:
        raise AuthError("This key lacks the scope 'admin'.", code="insufficient_scope")
    today = datetime.now(UTC).date()
    first, last = since or today - timedelta(days=30), until or today
    if first > last:
        raise RequestError("since is after until.", faults=[Fault(("since",), "must not be after until")])
    rows = await held.spending.spent(
        by,
        _midnight(first),
        _midnight(last) + timedelta(days=1),
        caller=None if of == "everyone" else caller.id,
        mode=held.catalogue.mode,
    )
    if form == "csv":
        return Response(_csv(by, rows), media_type="text/csv", headers={"cache-control": "no-store"})
    return JSONResponse(_shown(by, first, last, held.catalogue.mode, rows), headers={"cache-control": "no-store"})


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _shown(by: By, first: date, last: date, mode: str, rows: list[SpendRow]) -> Json:
    return {
        "object": "spend",
        "currency": "USD",
        "mode": mode,
        "by": str(by),
        "since": first.isoformat(),
        "until": last.isoformat(),
        "data": [dict(zip(_COLUMNS, _values(row), strict=True)) for row in rows],
    }


def _csv(by: By, rows: list[SpendRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow((str(by), *_COLUMNS[1:]))
    writer.writerows(_values(row, guarded=True) for row in rows)
    return text.getvalue()


def _values(row: SpendRow, *, guarded: bool = False) -> tuple[str | int, ...]:
    group = row.group
    if guarded and group[:1] in "=+-@\t\r":
        # A tag is a caller's text, and a spreadsheet would take it for a formula.
        group = "'" + group
    return group, row.attempts, dollars(row.useful), dollars(row.wasted), row.unpriced
