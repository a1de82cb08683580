"""BabySea's webhooks: what is believed, and what is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.errors import AuthError, SetupError
from domain.provider import Notice
from providers.babysea.webhook import read_notice, sign
from tests.contract.adapters import Control
from tests.contract.babysea_orders import ID, sea

SECRET = "whsec_test_secret"
MOMENT = 1795230000
NOW = datetime.fromtimestamp(MOMENT, UTC)


def event(**data: Any) -> bytes:
    return json.dumps({"webhook_event": "generation.completed", "webhook_data": {"generation_id": ID} | data}).encode()


def headers(body: bytes, secret: str = SECRET, moment: int = MOMENT) -> dict[str, str]:
    return {"x-babysea-signature": f"t={moment},v1={sign(secret, str(moment), body)}"}


def test_the_signature_is_the_documented_one_to_the_byte() -> None:
    vector = "e4886cdac3b3767d95652d8177e255ad55bc369373b5e5758e30e4065b357705"
    assert sign(SECRET, str(MOMENT), b'{"webhook_event":"webhook.test"}') == vector


@pytest.mark.parametrize(
    ("status", "has_ended"), [("processing", False), ("succeeded", True), ("failed", True), ("canceled", True)]
)
def test_a_notice_names_the_generation_and_how_it_stands(status: str, has_ended: bool) -> None:
    body = event(generation_status=status)
    assert read_notice([SECRET], headers(body), body, NOW) == Notice(ID, status, ended=has_ended)


@pytest.mark.parametrize("name", ["credits.low_balance", "webhook.test"])
def test_an_event_of_no_generation_names_no_job(name: str) -> None:
    body = json.dumps({"webhook_event": name, "webhook_data": {"generation_id": ID}}).encode()
    assert read_notice([SECRET], headers(body), body, NOW).job_id is None


def test_both_secrets_hold_during_a_rotation() -> None:
    body = event(generation_status="succeeded")
    for used in ("whsec_new", "whsec_old"):
        assert read_notice(["whsec_new", "whsec_old"], headers(body, used), body, NOW).job_id == ID


@pytest.mark.parametrize("late", [-300, 300])
def test_five_minutes_are_still_in_time(late: int) -> None:
    body = event(generation_status="succeeded")
    assert read_notice([SECRET], headers(body, moment=MOMENT + late), body, NOW).job_id == ID


BODY = event(generation_status="succeeded")
GOOD = headers(BODY)["x-babysea-signature"]


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        (headers(BODY, "whsec_wrong")["x-babysea-signature"], BODY),
        (headers(BODY, moment=MOMENT - 301)["x-babysea-signature"], BODY),
        (headers(BODY, moment=MOMENT + 301)["x-babysea-signature"], BODY),
        (GOOD, BODY + b" "),
        (GOOD.replace("v1=", "v1=0"), BODY),
        ("t=1795230000,v1=" + GOOD.split("v1=")[1].upper(), BODY),
        (f"t={MOMENT}", BODY),
        (GOOD.split(",")[1], BODY),
        (GOOD.replace("t=1795230000", "t=soon"), BODY),
        (GOOD.replace("t=1795230000", "t=+1795230000"), BODY),
        (GOOD.replace("t=1795230000", "t=" + "9" * 5000), BODY),
        ("", BODY),
        ("\udcff=1", BODY),
        (headers(b"not json")["x-babysea-signature"], b"not json"),
        (headers(b"[]")["x-babysea-signature"], b"[]"),
    ],
    ids=range(15),
)
def test_whatever_is_not_babyseas_is_refused(signature: str, body: bytes) -> None:
    with pytest.raises(AuthError) as raised:
        read_notice([SECRET], {"x-babysea-signature": signature}, body, NOW)
    assert raised.value.reason == "invalid_webhook_signature"


@pytest.mark.parametrize("header", ["x-babysea-event", "x-babysea-timestamp", "x-babysea-delivery-id"])
def test_a_header_that_contradicts_the_body_is_refused(header: str) -> None:
    with pytest.raises(AuthError, match=header):
        read_notice([SECRET], headers(BODY) | {header: "something else"}, BODY, NOW)


async def test_without_signature_or_secret_it_is_said_which_is_missing(
    sandbox: Control, http: httpx.AsyncClient
) -> None:
    with pytest.raises(AuthError) as unsigned:
        sea(sandbox, http).notice({}, BODY, NOW)
    assert unsigned.value.reason == "missing_webhook_signature"
    with pytest.raises(SetupError) as unset:
        sea(sandbox, http, BABYSEA_WEBHOOK_SECRET=" , ").notice(headers(BODY), BODY, NOW)
    assert unset.value.reason == "webhook_not_configured"
