"""All parts on one machine: started in order, ready when runs would be worked on."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
from rich.console import Console

import providers
from cli.environment import local_environment
from cli.failures import CommandFailed
from cli.local_temporal import PORT, UI_PORT, find_temporal, server_part
from cli.ports import Port, check_free, port_of
from cli.processes import Part, Parts
from cli.serve import API_PORT, ROOT, PartName, api_port, part_command
from cli.setup import prepare
from settings import Settings

_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Stack:
    settings: Settings
    port: int
    temporal: Path | None
    """The server's binary; None where TEMPORAL_ADDRESS names a server that runs already."""
    temporal_port: int
    temporal_ui_port: int

    @classmethod
    def from_environment(cls, **forced: str) -> Self:
        """Completes this process's environment, which the parts inherit. Ports, settings and Temporal's binary are
        looked at here, before anything is started."""
        ours = not os.environ.get("TEMPORAL_ADDRESS")
        os.environ.update(local_environment(os.environ | forced, [module.KEY_NAME for module in providers.modules()]))
        settings = Settings.load()
        port = api_port(os.environ.get("BABYCHAIN_API_PORT"))
        temporal_port = port_of(os.environ.get("BABYCHAIN_TEMPORAL_PORT"), "BABYCHAIN_TEMPORAL_PORT", PORT)
        ui_port = port_of(os.environ.get("BABYCHAIN_TEMPORAL_UI_PORT"), "BABYCHAIN_TEMPORAL_UI_PORT", UI_PORT)
        needed = [Port(port, "API", "BABYCHAIN_API_PORT"), *_sandbox_ports(settings)]
        if ours:
            needed.append(Port(temporal_port, "Temporal", "BABYCHAIN_TEMPORAL_PORT"))
            needed.append(Port(ui_port, "Temporal's Web UI", "BABYCHAIN_TEMPORAL_UI_PORT"))
            os.environ.setdefault("BABYCHAIN_TEMPORAL_UI_URL", f"http://127.0.0.1:{ui_port}")
        check_free(needed)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return cls(settings, port, find_temporal() if ours else None, temporal_port, ui_port)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        """The first caller key."""
        return self.settings.api_key.get_secret_value().replace("\n", ",").split(",")[0].strip()

    def introduce(self, console: Console) -> None:
        """Where a person looks, and with which key."""
        shown = {"Console": self.api, "API docs": f"{self.api}/docs", "Caller key": self.key}
        if self.temporal:
            shown["Temporal Web UI"] = f"http://127.0.0.1:{self.temporal_ui_port}"
        if self.settings.provider_mode == "sandbox":
            shown["Sandbox ledger"] = f"{self.settings.sandbox_url}/_sandbox/jobs"
        for name, value in shown.items():
            console.print(f"  {name:<16} {value}", markup=False)
        console.print()

    async def start(self, parts: Parts, announce: Callable[[str], None]) -> None:
        """Answers once a run would be worked on. Whoever stops the parts does so in the reverse order."""
        if self.temporal:
            await parts.start(self._temporal_part(self.temporal))
        if self.settings.provider_mode == "sandbox":
            await parts.start(_part("sandbox"))
        # The API can wait for Temporal, and its imports take as long as Temporal's start.
        await parts.start(_part("api", port=self.port))
        await parts.beside(prepare(self.settings, announce))
        await parts.start(_part("worker"))
        await parts.beside(self._wait_until_ready())

    def _temporal_part(self, binary: Path) -> Part:
        return server_part(
            binary,
            port=self.temporal_port,
            ui_port=self.temporal_ui_port,
            db=self.settings.data_dir / "temporal.db",
            namespace=os.environ.get("TEMPORAL_NAMESPACE") or "default",
        )

    async def _wait_until_ready(self) -> None:
        said = "nothing"
        async with httpx.AsyncClient(base_url=self.api, trust_env=False, timeout=5) as http:
            with suppress(TimeoutError):
                async with asyncio.timeout(_READY_SECONDS):
                    while True:
                        with suppress(httpx.TransportError):
                            answer = await http.get("/readyz")
                            said = answer.text
                            if answer.is_success and answer.json()["worker"] == "polling":
                                return
                        await asyncio.sleep(0.1)
        raise CommandFailed(f"The API was not ready within {_READY_SECONDS:.0f} s; /readyz said last: {said}")


def _part(name: PartName, *, port: int = API_PORT) -> Part:
    return Part(name, part_command(name, port=port), ROOT)


def _sandbox_ports(settings: Settings) -> list[Port]:
    if settings.provider_mode != "sandbox":
        return []
    port = urlsplit(settings.sandbox_url).port or 80
    return [
        Port(port, "sandbox", "BABYCHAIN_SANDBOX_URL"),
        Port(port + 1, "the sandbox's second port, the next one up", "BABYCHAIN_SANDBOX_URL"),
    ]
