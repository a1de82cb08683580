"""The demo's receiver, and its check of what it received."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from activities.callbacks import signed_headers
from cli.callbacks import verified
from cli.failures import CommandFailed
from cli.receiver import Callback, listening
from domain.callbacks import RUN_COMPLETED, Event

SECRET = "callback_test_secret"
BODY = b'{"id":"x"}'
VECTOR = "4be849b707b1ee6f8d00c713bac94f33bd3bbce04ee34c6f62cacaf294335793"


def callback(body: bytes = BODY, *, age: timedelta = timedelta(0), **headers: str) -> Callback:
    made = signed_headers([SECRET], Event(RUN_COMPLETED, "x"), BODY, datetime.now(UTC) - age)
    return Callback(made | {name.replace("_", "-"): value for name, value in headers.items()}, body)


async def test_a_callback_arrives_whole_and_holds() -> None:
    async with listening() as receiver, httpx.AsyncClient(trust_env=False) as http:
        sent = callback()
        answer = await http.post(receiver.url, content=sent.body, headers=sent.headers)
        assert answer.status_code == 204
        assert verified(await receiver.received.get(), SECRET) == {"id": "x"}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: callback(b'{"id":"y"}'), "X-BabyChain-Signature does not hold"),
        (lambda: callback(age=timedelta(minutes=6)), "too old"),
        (lambda: callback(x_babychain_signature=""), "X-BabyChain-Signature does not hold"),
        (lambda: callback(x_babychain_signature=f"t=1779900000,v1={VECTOR}"), "too old"),
        (lambda: callback(webhook_signature="v1,AAAA"), "Standard Webhooks signature does not hold"),
    ],
)
def test_a_callback_that_does_not_hold_is_refused(wrong: Callable[[], Callback], why: str) -> None:
    with pytest.raises(CommandFailed, match=why):
        verified(wrong(), SECRET)
