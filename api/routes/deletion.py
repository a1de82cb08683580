"""Delete an ended run."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api import examples
from api.services import Held, RunId, Runner

router = APIRouter(tags=["runs"])


@router.delete(
    "/api/v1/chains/runs/{run_id}",
    status_code=204,
    response_class=Response,
    summary="Delete a run",
    responses=examples.responses(400, 401, 404, 409, 503),
)
async def delete_run(run_id: RunId, caller: Runner, held: Held) -> Response:
    """For good: input, metadata, outputs that no other run uses, deliveries, and the workflow's history.

    What it cost stays in the books, without a word of yours. 202 instead of 204: under way, and will be finished.
    """
    if await held.endings.delete(run_id, caller):
        return Response(status_code=204)
    return JSONResponse({"id": run_id, "object": "chain_run", "deleted": False}, 202)
