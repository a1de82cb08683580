"""Look at the provider accounts of a running deployment, and switch them or their models off and on."""

import os
import re
from collections.abc import Mapping
from typing import Any

import httpx
from cyclopts import App
from rich.console import Console
from rich.table import Table

from cli.environment import data_dir
from cli.failures import CommandFailed
from cli.provider_check import check, compare
from cli.serve import api_port

app = App(name="providers", help="Provider accounts: how they do, and their switches.")
app.command(check)
app.command(compare)


@app.command(name="list")
def list_accounts() -> int:
    """Show every provider account: breaker, places, waiting starts, and how the last day went."""
    table = Table("provider", "state", "since", "jobs", "waiting", "last day", "p50 s", "p95 s", box=None)
    for row in _ask("GET", "/api/v1/providers")["data"]:
        day = row["last_day"]
        share = "" if day["success_share"] is None else f"{day['success_share']:.1%} of {day['attempts']}"
        since = (row["disabled"] or row["breaker"])["since"]
        table.add_row(
            row["name"], _state(row), since or "", _jobs(row), str(row["waiting"]), share,
            *("" if value is None else f"{value:g}" for value in day["seconds"].values()),
        )  # fmt: skip
    console = Console()
    console.print(table)
    return 0


@app.command
def disable(target: str, /, *, reason: str | None = None) -> int:
    """Start nothing new there, in every process within five seconds. Running jobs end normally.

    Parameters
    ----------
    target
        A provider (bfl), or one model (bfl/flux-2-pro).
    reason
        Shown to whoever asks.
    """
    _ask("POST", f"{_path(target)}/disable", {} if reason is None else {"reason": reason})
    print(f"{target} is switched off.")
    return 0


@app.command
def enable(target: str, /) -> int:
    """Use it again. For a provider this also closes its breaker: do it after topping up an account.

    Parameters
    ----------
    target
        A provider (bfl), or one model (bfl/flux-2-pro).
    """
    _ask("POST", f"{_path(target)}/enable", {})
    print(f"{target} is switched on.")
    return 0


def _state(row: Mapping[str, Any]) -> str:
    if not row["offered"]:
        return "no key"
    if row["disabled"]:
        return "disabled"
    breaker = row["breaker"]
    return breaker["state"] if breaker["reason"] is None else f"{breaker['state']}: {breaker['reason']}"


def _jobs(row: Mapping[str, Any]) -> str:
    return "" if row["limit"] is None else f"{row['active']} of {row['limit']}"


def _path(target: str) -> str:
    return f"/api/v1/{'models' if '/' in target else 'providers'}/{target}"


def _ask(method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    url = os.environ.get("BABYCHAIN_PUBLIC_URL") or f"http://127.0.0.1:{api_port(os.environ.get('BABYCHAIN_API_PORT'))}"
    try:
        answer = httpx.request(
            method, url.rstrip("/") + path, json=body, headers={"authorization": f"Bearer {_key()}"}, timeout=15.0
        )
        said: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise CommandFailed(f"The API at {url} does not answer as it should: {type(error).__name__}.") from error
    if answer.is_error:
        raise CommandFailed(str(said.get("error", {}).get("message", f"The API answered {answer.status_code}.")))
    return said


def _key() -> str:
    """The first key of the environment, or the one that `babychain dev` keeps."""
    kept = data_dir(os.environ) / "dev.env"
    lines = kept.read_text().splitlines() if kept.exists() else []
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    given = os.environ.get("BABYCHAIN_API_KEY") or values.get("BABYCHAIN_API_KEY", "")
    keys = [key.strip() for key in re.split(r"[,\n]", given) if key.strip()]
    if not keys:
        raise CommandFailed("Set BABYCHAIN_API_KEY to a key with the scope 'admin'.")
    return keys[0]
