"""`babychain dev`: all parts, kept running, with reload."""

import asyncio

from rich.console import Console
from rich.text import Text
from watchfiles import PythonFilter, awatch

from cli.environment import LOCAL_RECEIVER_PORT
from cli.processes import Parts
from cli.serve import ROOT
from cli.showing import console
from cli.signals import run
from cli.stack import Stack

_RELOADED = ("api", "worker")
_SOURCES = (
    *("activities", "api", "domain", "net", "providers", "storage", "temporal", "workflows"),
    *("settings.py", "telemetry.py", "worker.py"),
)
_COLOURS = {"temporal": "magenta", "sandbox": "yellow", "api": "cyan", "worker": "green"}


def dev() -> int:
    """Run everything on this machine until Ctrl-C; API and worker reload when a source file changes."""
    stack = Stack.from_environment()
    # Ctrl-C is how this command is meant to end.
    return run(_dev(stack, console()), interrupted=0)


async def _dev(stack: Stack, console: Console) -> int:
    def show(name: str, line: str) -> None:
        console.print(Text(f"{name:>9} │ ", _COLOURS.get(name, "")) + Text.from_ansi(line))

    try:
        async with Parts(show) as parts:
            await stack.start(parts, lambda line: show("setup", line))
            console.print(f"\nReady, in {stack.settings.provider_mode} mode. Ctrl-C stops everything.\n")
            stack.introduce(console)
            console.print(f"  Callbacks may go to http://127.0.0.1:{LOCAL_RECEIVER_PORT} on this machine.\n")
            await parts.beside(_reload(parts, console))
    finally:
        console.print("Stopped.")
    return 0


async def _reload(parts: Parts, console: Console) -> None:
    sources = [ROOT / name for name in _SOURCES]
    async for changes in awatch(*sources, watch_filter=PythonFilter(), debounce=300):
        names = sorted({path.removeprefix(f"{ROOT}/") for _, path in changes})
        console.print(f"Changed: {', '.join(names)}. Restarting {' and '.join(_RELOADED)}.")
        await asyncio.gather(*(parts.restart(name) for name in _RELOADED))
