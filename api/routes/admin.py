"""For the operator: from what support is told to the run."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api import examples
from api.services import Admin, Held
from domain.errors import RequestError

router = APIRouter(tags=["admin"])


@router.get("/api/v1/admin/find", summary="Find a run", responses=examples.responses(400, 401, 503))
async def find(
    _admin: Admin,
    held: Held,
    job: Annotated[str | None, Query(max_length=512, description="A provider's job id.")] = None,
    request_id: Annotated[str | None, Query(max_length=128, description="The caller's X-Request-Id.")] = None,
) -> JSONResponse:
    """By a provider's job id or by the caller's X-Request-Id: living runs, ended ones, and what deleted ones left."""
    if (job is None) == (request_id is None):
        raise RequestError("Name either job or request_id.")
    found: list[dict[str, Any]] = await held.finder.find(job=job, request_id=request_id)
    answer = {"object": "list", "data": found, "has_more": False, "url": "/api/v1/admin/find"}
    return JSONResponse(answer, headers={"cache-control": "no-store"})
