"""The service against its own OpenAPI document. `make fuzz` asks the same twenty thousand times."""

from pathlib import Path

from temporalio.client import Client

from tests.support.fuzz import fuzz
from tests.support.service import running_service


async def test_nothing_crashes_and_nothing_is_accepted_that_the_document_refuses(
    temporal: Client, tmp_path: Path
) -> None:
    said = tmp_path / "said.txt"
    async with running_service(temporal, tmp_path) as service:
        with said.open("wb") as output:
            # The same cases each time: a gate is no place for surprises, and `make fuzz` makes new ones.
            code = await fuzz(service, tmp_path, "--generation-deterministic", cases=600, said=output)
    assert code == 0, said.read_text()
