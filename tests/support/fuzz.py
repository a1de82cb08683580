"""`make fuzz`: the service against its own OpenAPI document. Temporal, API and all else start and end here.

`python -m tests.support.fuzz <cases>`: about so many requests, spread over all operations.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import IO

from tests.support.service import KEY, Service, running_service
from tests.support.temporal_server import running_temporal

_CONFIG = Path(__file__).with_name("schemathesis.toml")


async def fuzz(service: Service, folder: Path, *options: str, cases: int, said: IO[bytes] | None = None) -> int:
    """How schemathesis ended; what it says goes to `said`."""
    document = (await service.anyone.get("/openapi.json")).json()
    operations = sum(len(methods) for methods in document["paths"].values())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "--no-color",
        "run", f"{service.anyone.base_url}/openapi.json",
        "--header", f"Authorization: Bearer {KEY}",
        "--continue-on-failure", "--phases", "examples,coverage,fuzzing", "--request-timeout", "30",
        "--max-examples", str(max(1, cases // operations)),
        *options, cwd=folder, stdout=said, stderr=said,
    )  # fmt: skip
    return await process.wait()


async def main(cases: int, *options: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with running_temporal() as client, running_service(client, Path(folder)) as service:
            return await fuzz(service, Path(folder), *options, cases=cases)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]), *sys.argv[2:])))
