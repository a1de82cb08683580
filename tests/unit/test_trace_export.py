"""Traces go to a collector where one is named, and nowhere else."""

import asyncio
import os
import sys

import pytest
from fastapi import FastAPI, Request, Response

from tests.support.processes import ROOT
from tests.support.serving import serving

PROGRAM = """
from opentelemetry import trace
import telemetry
telemetry.configure("worker", "INFO", ["a-very-secret-value"])
with trace.get_tracer("ours").start_as_current_span("a step of a run"):
    pass
telemetry.close()
"""


async def run_a_span(**env: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, cwd=ROOT, env=kept | {"NO_PROXY": "127.0.0.1"} | env
    )
    assert await process.wait() == 0


@pytest.mark.parametrize("is_named", [True, False])
async def test_spans_reach_the_collector_that_is_named_and_without_one_nothing_is_sent(is_named: bool) -> None:
    received: list[tuple[str, bytes]] = []
    app = FastAPI()

    @app.post("/{path:path}")
    async def collect(path: str, request: Request) -> Response:
        received.append((path, await request.body()))
        return Response(media_type="application/x-protobuf")

    async with serving(app) as url:
        await run_a_span(**({"OTEL_EXPORTER_OTLP_ENDPOINT": url} if is_named else {}))
    assert [path for path, _ in received] == (["v1/traces"] if is_named else [])
    for _, body in received:
        assert b"a step of a run" in body
        assert b"babychain-worker" in body
