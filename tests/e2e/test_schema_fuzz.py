"""The service against its own OpenAPI document. `make fuzz` asks the same twenty thousand times."""

from pathlib import Path

from temporalio.client import Client

from tests.support.fuzz import fuzz
from tests.support.service import running_service

# The systematic cases of these two bodies, which name every parameter of every model, take minutes.
_LARGE = ("--exclude-operation-id=create_run", "--exclude-operation-id=estimate_run")


async def test_nothing_crashes_and_nothing_is_accepted_that_the_document_refuses(
    temporal: Client, tmp_path: Path
) -> None:
    said = tmp_path / "said.txt"
    async with running_service(temporal, tmp_path) as service:
        with said.open("wb") as output:
            random = await fuzz(service, tmp_path, "--phases=examples,fuzzing", cases=600, said=output)
            systematic = await fuzz(service, tmp_path, "--phases=coverage", *_LARGE, cases=100, said=output)
    assert (random, systematic) == (0, 0), said.read_text()
