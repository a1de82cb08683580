"""Look at the provider accounts of a running deployment, and switch them or their models off and on."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cyclopts import App

from cli.provider_check import check, compare
from cli.session import ask
from cli.showing import AsJson, moment, show_json, show_table

app = App(name="providers", help="Provider accounts: how they do, and their switches.")
app.command(check)
app.command(compare)


@app.command(name="list")
def list_accounts(*, as_json: AsJson = False) -> int:
    """Show every provider account: breaker, places, waiting starts, and how the last day went.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    found = ask("GET", "/api/v1/providers")
    if as_json:
        show_json(found)
        return 0
    columns = ("provider", "state", "since", "jobs", "waiting", "last day", "p50 s", "p95 s")
    show_table(columns, map(_row, found["data"]))
    return 0


@app.command
def disable(target: str, /, *, reason: str | None = None, as_json: AsJson = False) -> int:
    """Start nothing new there, in every process within five seconds. Running jobs end normally.

    Parameters
    ----------
    target
        A provider (bfl), or one model (bfl/flux-2-pro).
    reason
        Shown to whoever asks.
    as_json
        Print JSON.
    """
    said = ask("POST", f"{_path(target)}/disable", {} if reason is None else {"reason": reason})
    return _switched(said, f"{target} is switched off.", as_json=as_json)


@app.command
def enable(target: str, /, *, as_json: AsJson = False) -> int:
    """Use it again. For a provider this also closes its breaker: do it after topping up an account.

    Parameters
    ----------
    target
        A provider (bfl), or one model (bfl/flux-2-pro).
    as_json
        Print JSON.
    """
    said = ask("POST", f"{_path(target)}/enable", {})
    return _switched(said, f"{target} is switched on.", as_json=as_json)


def _row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    day = row["last_day"]
    share = None if day["success_share"] is None else f"{day['success_share']:.1%} of {day['attempts']}"
    since = moment((row["disabled"] or row["breaker"])["since"])
    seconds = (None if value is None else f"{value:g}" for value in day["seconds"].values())
    return (row["name"], _state(row), since, _jobs(row), row["waiting"], share, *seconds)


def _switched(said: dict[str, Any], sentence: str, *, as_json: bool) -> int:
    if as_json:
        show_json(said)
    else:
        print(sentence)
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
    return f"/api/v1/{'models' if '/' in target else 'providers'}/{quote(target, safe='/')}"
