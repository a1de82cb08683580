"""`babychain deliveries`: a run's callbacks as their receivers met them, sending one again, and a test."""

from typing import Any

from cyclopts import App

from cli.failures import Exit
from cli.session import connect
from cli.showing import AsJson, OnceKey, console, moment, show_json, show_table

deliveries = App(name="deliveries", help="Callbacks: what became of them, sending one again, and a test.")


@deliveries.command(name="list")
def list_(run_id: str, /, *, as_json: AsJson = False) -> int:
    """Show every callback of a run with its attempts.

    Parameters
    ----------
    run_id
        The run.
    as_json
        Print JSON.
    """
    with connect() as client:
        found = client.deliveries(run_id)
    if as_json:
        show_json({"object": "list", "data": found})
    else:
        show_table(
            ("sent", "event", "status", "answer", "took", "next", "to"), (row for one in found for row in _rows(one))
        )
    return Exit.DONE


@deliveries.command
def resend(run_id: str, /, *, step: str | None = None, idempotency_key: OnceKey = None, as_json: AsJson = False) -> int:
    """Send a callback again: the same bytes under the same event id.

    Parameters
    ----------
    run_id
        The run.
    step
        The event of this step; without it, that of the run's end.
    idempotency_key
        The same key is the same sending, however often it is started.
    as_json
        Print JSON.
    """
    with connect() as client:
        sent = client.resend_callback(run_id, step, idempotency_key=idempotency_key)
    _show(sent, as_json=as_json)
    return Exit.DONE


@deliveries.command(name="test")
def send_test(url: str, /, *, idempotency_key: OnceKey = None, as_json: AsJson = False) -> int:
    """Send one signed test event, and show what the receiver answered. Exit code 1 where it did not take it.

    Parameters
    ----------
    url
        Where to.
    idempotency_key
        The same key is the same test, however often it is started.
    as_json
        Print JSON.
    """
    with connect() as client:
        sent = client.send_test_callback(url, idempotency_key=idempotency_key)
    _show(sent, as_json=as_json)
    return Exit.DONE if sent.get("status") == "delivered" else Exit.FAILED


def _show(sent: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(sent)
        return
    said = f"{sent['event']} {sent['event_id']}: {sent['status']} {_answer(sent)}"
    console().print(said.rstrip(), markup=False)
    for attempt in sent["attempts"]:
        console().print(f"  {_answer(attempt)} after {attempt['duration_ms']} ms", markup=False)


def _rows(delivery: dict[str, Any]) -> list[tuple[Any, ...]]:
    following, to = moment(delivery.get("next_attempt_at")), delivery.get("url")
    return [
        (
            moment(one["sent_at"]),
            delivery["event"],
            one["outcome"],
            _answer(one),
            f"{one['duration_ms']} ms",
            following,
            to,
        )
        for one in delivery["attempts"]
    ]


def _answer(attempt: dict[str, Any]) -> str:
    return " ".join(str(attempt[name]) for name in ("http_status", "error", "answer") if attempt.get(name))
