"""Callers who are slow, or never come to the end of what they say, hold nobody else up."""

import asyncio
from pathlib import Path

from temporalio.client import Client

from api.shedding import CREATES_REFUSED_AT
from tests.support.bodies import drawn
from tests.support.service import OTHER_KEY, Service, running_service
from tests.support.waiting import eventually

HALF = (
    "POST /api/v1/chains/chain1/estimate HTTP/1.1\r\nhost: api\r\ncontent-type: application/json\r\n"
    f"authorization: Bearer {OTHER_KEY}\r\ncontent-length: 50\r\n\r\n{{"
).encode()


async def test_half_sent_bodies_keep_no_other_caller_out(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        url, before = service.api.base_url, await _left(service)
        writers = [(await asyncio.open_connection(url.host, url.port))[1] for _ in range(CREATES_REFUSED_AT + 6)]
        try:
            for writer in writers:
                writer.write(HALF)
            # Each of them has been asked for its key, and counted.
            await eventually(lambda: _left(service), lambda left: left < before - len(writers))
            await service.create("chain1", drawn("a caller in time"))
        finally:
            for writer in writers:
                writer.close()


async def _left(service: Service) -> int:
    """Reads that the slow caller has left in this minute."""
    answer = await service.other.get("/api/v1/chains/get/00000000-0000-4000-8000-000000000000")
    return int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0])
