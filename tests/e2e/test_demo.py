"""The first command of the README, as a newcomer runs it: from nothing to checked files, and nothing left running."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from cli.local_temporal import find_temporal
from tests.support.processes import running_program
from tests.support.serving import free_port

PORTS = ("BABYCHAIN_API_PORT", "BABYCHAIN_TEMPORAL_PORT", "BABYCHAIN_TEMPORAL_UI_PORT")


async def test_the_demo_runs_a_chain_through_every_part_and_leaves_nothing_running(tmp_path: Path) -> None:
    addresses = [f"http://127.0.0.1:{free_port()}" for _ in range(len(PORTS) + 1)]
    env = {name: str(urlsplit(url).port) for name, url in zip(PORTS, addresses, strict=False)}
    env |= {"BABYCHAIN_SANDBOX_URL": addresses[-1], "BABYCHAIN_DATA_DIR": str(tmp_path)}
    env |= {"TEMPORAL_CLI": str(find_temporal())}
    async with running_program("cli", "demo", env=env) as demo:
        code = await demo.ended(within=180)
    said = "\n".join(demo.lines)
    assert code == 0, said
    assert "status succeeded; both signatures hold" in said
    kinds = {path.suffix for path in (tmp_path / "demo").iterdir()}
    assert kinds in ({".jpg", ".mp4"}, {".jpeg", ".mp4"}), kinds
    for part in ("api", "worker", "sandbox", "temporal"):
        assert list((tmp_path / "logs").glob(f"{part}*")), part
    async with httpx.AsyncClient(trust_env=False) as http:
        for url in addresses:
            with pytest.raises(httpx.ConnectError):
                await http.get(url)
