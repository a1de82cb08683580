"""Run one part in the foreground, as a container or a service manager does."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter, validators

from cli.ports import LAST_PORT, port_of

ROOT = Path(__file__).resolve().parent.parent
API_PORT = 8000

Port = Annotated[int | None, Parameter(validator=validators.Number(gte=1, lte=LAST_PORT))]
PartName = Literal["api", "worker", "sandbox"]


def serve(part: PartName, /, *, host: str = "127.0.0.1", port: Port = None) -> None:
    """Run one part until it is stopped.

    Parameters
    ----------
    part
        api, worker or sandbox.
    host
        Where the API listens; 0.0.0.0 in a container.
    port
        The API's port; BABYCHAIN_API_PORT or 8000 when it is not given.
    """
    if part != "sandbox":
        from cli.deployment import load_settings  # noqa: PLC0415 - it is built on this module

        # What is missing is said in one sentence, before the part itself fails in the middle of its start.
        load_settings()
    command = part_command(part, host=host, port=port or api_port(os.environ.get("BABYCHAIN_API_PORT")))
    os.chdir(ROOT)
    # Replaces this process: signals, exit code and process id are the part's own.
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def part_command(part: PartName, *, host: str = "127.0.0.1", port: int = API_PORT) -> list[str]:
    if part != "api":
        return [sys.executable, "-m", part]
    return [
        *[sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app"],
        *["--host", host, "--port", str(port)],
        # Requests are logged by the API itself, without queries: those are signed.
        *["--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "10"],
        # Longer than load balancers keep an idle connection, so that none is closed under a request just sent.
        # No --limit-concurrency: it would turn away webhooks and cancels too. `api/shedding.py` does not, and
        # `api/connections.py` bounds connections and what they are waited for.
        *["--timeout-keep-alive", "75", "--http", "api.connections:GuardedConnection"],
    ]


def api_port(given: str | None) -> int:
    return port_of(given, "BABYCHAIN_API_PORT", API_PORT)
