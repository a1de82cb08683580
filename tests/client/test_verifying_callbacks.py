"""What the verifier takes for a callback, held against the service's own signing."""

import json
from datetime import UTC, datetime

import pytest

from activities.callbacks import signed_headers
from babychain_client import WebhookInvalid, verify_webhook
from domain.callbacks import RUN_COMPLETED, STEP_COMPLETED, TEST, Event
from tests.support.scripted import run_data

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
RUN = json.dumps({"object": "chain_run"} | run_data("succeeded")).encode()
EVENT = Event(RUN_COMPLETED, run_data("succeeded")["id"])
PLAIN, STANDARD = "a plain secret", "whsec_c2VjcmV0IG9mIHRoZSBjYWxsZXI="


@pytest.mark.parametrize("secret", [PLAIN, STANDARD])
def test_a_callback_of_the_service_is_taken_in_both_forms_of_secret(secret: str) -> None:
    headers = signed_headers([secret], EVENT, RUN, NOW)
    event = verify_webhook(RUN, headers, secret, now=NOW.timestamp())
    assert (event.id, event.kind) == (EVENT.id, RUN_COMPLETED)
    assert event.run is not None
    assert event.run.succeeded


def test_headers_may_be_written_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed_headers([PLAIN], EVENT, RUN, NOW).items()}
    assert verify_webhook(RUN, headers, PLAIN, now=NOW.timestamp()).id == EVENT.id


def test_while_a_secret_is_changed_either_holds() -> None:
    headers = signed_headers([PLAIN, STANDARD], EVENT, RUN, NOW)
    for secret in (PLAIN, STANDARD):
        assert verify_webhook(RUN, headers, secret, now=NOW.timestamp()).id == EVENT.id


def test_events_of_steps_and_tests_carry_no_run() -> None:
    for kind, body in ((STEP_COMPLETED, b'{"object": "chain_step_event"}'), (TEST, b'{"object": "webhook_test"}')):
        event = verify_webhook(body, signed_headers([PLAIN], Event(kind, "x"), body, NOW), PLAIN, now=NOW.timestamp())
        assert (event.kind, event.run) == (kind, None)


@pytest.mark.parametrize(
    ("changed", "body", "secret", "later"),
    [
        ({}, RUN + b" ", PLAIN, 0),
        ({}, RUN, "another secret", 0),
        ({"webhook-id": "evt_another"}, RUN, PLAIN, 0),
        ({"webhook-timestamp": str(int(NOW.timestamp()) + 1)}, RUN, PLAIN, 0),
        ({"webhook-signature": "v1,é"}, RUN, PLAIN, 0),
        ({"webhook-signature": ""}, RUN, PLAIN, 0),
        ({"webhook-timestamp": "soon"}, RUN, PLAIN, 0),
        ({"webhook-timestamp": "9" * 400}, RUN, PLAIN, 0),
        ({}, RUN, PLAIN, 301),
        ({}, RUN, PLAIN, -301),
        ({}, RUN, "whsec_not base64", 0),
        ({}, RUN, "whsec_é", 0),
    ],
)
def test_each_thing_that_is_not_as_it_was_signed_is_refused(
    changed: dict[str, str], body: bytes, secret: str, later: int
) -> None:
    headers = signed_headers([PLAIN], EVENT, RUN, NOW) | changed
    with pytest.raises(WebhookInvalid):
        verify_webhook(body, headers, secret, now=NOW.timestamp() + later)


def test_a_signed_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(WebhookInvalid):
        verify_webhook(b"no", signed_headers([PLAIN], EVENT, b"no", NOW), PLAIN, now=NOW.timestamp())
