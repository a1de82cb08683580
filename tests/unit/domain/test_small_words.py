"""Timestamps, money, and tokens: the words whose spelling other people rely on."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Cost, dollars
from domain.timestamps import micros, millis
from domain.tokens import AttemptToken, derive, seal, unseal

# ---- timestamps -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("microsecond", "as_micros", "as_millis"),
    [
        (866894, "2026-05-26T20:15:11.866894+00:00", "2026-05-26T20:15:11.866+00:00"),
        (154000, "2026-05-26T20:15:11.154+00:00", "2026-05-26T20:15:11.154+00:00"),
        (610000, "2026-05-26T20:15:11.61+00:00", "2026-05-26T20:15:11.61+00:00"),
        (120450, "2026-05-26T20:15:11.12045+00:00", "2026-05-26T20:15:11.12+00:00"),
        (1, "2026-05-26T20:15:11.000001+00:00", "2026-05-26T20:15:11+00:00"),
        (0, "2026-05-26T20:15:11+00:00", "2026-05-26T20:15:11+00:00"),
    ],
)
def test_a_moment_is_spelled_with_its_offset_and_without_trailing_zeros(
    microsecond: int, as_micros: str, as_millis: str
) -> None:
    moment = datetime(2026, 5, 26, 20, 15, 11, microsecond, UTC)
    assert micros(moment) == as_micros
    assert millis(moment) == as_millis


def test_a_moment_elsewhere_is_spelled_in_utc() -> None:
    there = datetime(2026, 5, 26, 22, 15, 11, tzinfo=timezone(timedelta(hours=2)))
    assert micros(there) == "2026-05-26T20:15:11+00:00"


def test_what_has_not_happened_has_no_spelling() -> None:
    assert millis(None) is None


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis takes naive bounds
def test_a_spelled_moment_reads_as_the_same_moment(moment: datetime) -> None:
    assert datetime.fromisoformat(micros(moment)) == moment
    assert datetime.fromisoformat(millis(moment) or "") == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


# ---- money ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (65_000, "0.065"),
        (0, "0"),
        (1, "0.000001"),
        (1_000_000, "1"),
        (12_500_000, "12.5"),
        (-65_000, "-0.065"),
        (10_000_000, "10"),
    ],
)
def test_micro_dollars_read_as_dollars(amount: int, text: str) -> None:
    assert dollars(amount) == text


def test_a_sum_with_something_unknown_is_unknown() -> None:
    assert Cost(1, 2) + Cost(10, None) == Cost(11, None)
    assert Cost.exactly(5) + Cost.unknown() == Cost(None, None)
    assert Cost.exactly(5) + Cost.exactly(7) == Cost(12, 12)


# ---- tokens -----------------------------------------------------------------------------------------------------

KEY = derive("a server's secret", "webhook:bfl")


@given(st.uuids(), st.text(min_size=1, max_size=40), st.integers(0, 65_535))
def test_a_sealed_attempt_is_read_again(run_id: object, step: str, attempt: int) -> None:
    token = AttemptToken(str(run_id), step, attempt)
    assert unseal(KEY, seal(KEY, token)) == token


def test_a_token_of_another_key_or_purpose_is_unknown() -> None:
    sealed = seal(KEY, AttemptToken(str(uuid4()), "text_to_image", 1))
    assert unseal(derive("another secret", "webhook:bfl"), sealed) is None
    assert unseal(derive("a server's secret", "webhook:byteplus"), sealed) is None


def test_a_token_with_any_bit_turned_is_unknown() -> None:
    raw = _decoded(seal(KEY, AttemptToken(str(uuid4()), "text_to_image", 1)))
    for index in range(len(raw)):
        forged = bytearray(raw)
        forged[index] ^= 1
        assert unseal(KEY, base64.urlsafe_b64encode(forged).rstrip(b"=").decode()) is None


def test_a_token_cut_anywhere_is_unknown() -> None:
    sealed = seal(KEY, AttemptToken(str(uuid4()), "text_to_image", 1))
    assert [sealed[:length] for length in range(len(sealed)) if unseal(KEY, sealed[:length])] == []


@given(st.text(max_size=200))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    assert unseal(KEY, text) is None


def test_a_token_says_nothing_of_its_key() -> None:
    assert len(_decoded(seal(KEY, AttemptToken(str(uuid4()), "s", 1)))) == 16 + 2 + 1 + 16


def _decoded(sealed: str) -> bytes:
    return base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
