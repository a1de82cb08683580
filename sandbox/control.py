"""The control routes, `/_sandbox/...`: what tests and people use to look inside and to make things fail."""

import json

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.connections import SecondPort
from sandbox.faults import BadRule
from sandbox.world import World


def router(world: World) -> APIRouter:
    routes = APIRouter(prefix="/_sandbox")

    @routes.get("/health")
    async def health() -> Response:
        return JSONResponse({"status": "ok"})

    @routes.get("/jobs")
    async def list_jobs() -> Response:
        return JSONResponse([vars(row) for row in world.ledger.rows])

    @routes.delete("/jobs")
    async def empty_jobs() -> Response:
        """Empties the ledger. Jobs go on, except those that a rule keeps from ever ending."""
        world.ledger.clear()
        world.jobs.forget_endless()
        return Response(status_code=204)

    @routes.get("/faults")
    async def list_faults() -> Response:
        return JSONResponse(world.faults.shown())

    @routes.put("/faults")
    async def replace_faults(request: Request) -> Response:
        try:
            world.faults.replace(json.loads(await request.body()))
        except BadRule as error:
            return JSONResponse({"error": str(error)}, 400)
        except ValueError:
            return JSONResponse({"error": "the body is not JSON"}, 400)
        second_port: SecondPort | None = getattr(request.app.state, "second_port", None)
        if second_port is not None:
            await second_port.set_listening(world.faults.has("bad_tls"))
        return JSONResponse(world.faults.shown())

    return routes
