"""When two requests are the same, and which run an idempotency key stands for."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.fingerprints import Fingerprints, refuse_conflict
from api.requests import read_idempotency_key, read_request_id
from domain.errors import ConflictError, RequestError
from tests.support.plans import toy_plan

PRINTS = Fingerprints("a server's secret")
PLAN = toy_plan()
_KEYS = st.text("abcXYZ019_.:-", min_size=1, max_size=40)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def prints(metadata: Any) -> str:
    return PRINTS.of(replace(PLAN, metadata={"value": metadata}))["metadata"]


@given(_KEYS)
def test_a_key_always_stands_for_the_same_run(key: str) -> None:
    run_id = PRINTS.run_id("caller", "chain1", key)
    assert run_id == Fingerprints("a server's secret").run_id("caller", "chain1", key)
    assert UUID(run_id).version == 8
    assert str(UUID(run_id)) == run_id


def test_caller_chain_key_and_secret_each_make_another_run() -> None:
    ids = {
        PRINTS.run_id("caller", "chain1", "key"),
        PRINTS.run_id("other", "chain1", "key"),
        PRINTS.run_id("caller", "chain2", "key"),
        PRINTS.run_id("caller", "chain1", "Key"),
        PRINTS.run_id("caller", "chain1key", ""),
        Fingerprints("another secret").run_id("caller", "chain1", "key"),
    }
    assert len(ids) == 6


def test_without_a_key_every_run_is_new() -> None:
    one, other = [PRINTS.run_id("caller", "chain1", None) for _ in range(2)]
    assert one != other
    assert UUID(one).version == 7


@given(_JSON)
def test_order_of_keys_and_spelling_of_numbers_make_no_difference(value: Any) -> None:
    assert prints(value) == prints(_respelled(value))


def _respelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _respelled(child) for name, child in reversed(value.items())}
    if isinstance(value, list):
        return [_respelled(child) for child in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize(
    ("one", "other"),
    [([1, 2], [2, 1]), (1, "1"), (1, True), (0, False), (None, {}), (5, 5.5), ([], {}), ("a", "A"), ({"a": None}, {})],
)
def test_what_differs_in_meaning_differs(one: Any, other: Any) -> None:
    assert prints(one) != prints(other)


def test_a_print_says_nothing_of_what_it_was_made_from() -> None:
    assert PRINTS.of(PLAN) != Fingerprints("another secret").of(PLAN)
    assert all(len(value) == 32 for value in PRINTS.of(PLAN).values())


def test_a_conflict_names_the_parts_that_differ() -> None:
    asked = PRINTS.of(replace(PLAN, metadata={"n": 1}, webhook_url="https://a.example"))
    with pytest.raises(ConflictError) as caught:
        refuse_conflict(PRINTS.of(PLAN), asked)
    assert caught.value.facts == {"conflicts": ["metadata", "webhook_url"]}
    refuse_conflict(asked, asked)


def test_the_callers_request_id_is_no_part_of_the_request() -> None:
    assert PRINTS.of(replace(PLAN, client_request_id="web-1", run_id="other")) == PRINTS.of(PLAN)


@pytest.mark.parametrize("key", ["a", "x" * 255, "order-7781", "A.b_c:d-9"])
def test_a_key_of_the_contracts_form_is_taken(key: str) -> None:
    assert read_idempotency_key(f" {key} ") == key


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a b", "a/b", "ä", "a\n"[:-1] + "\x00"])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_idempotency_key(key)
    assert caught.value.reason == "invalid_idempotency_key"


@pytest.mark.parametrize(
    ("header", "kept"),
    [("web-42", "web-42"), ("x" * 128, "x" * 128), ("x" * 129, None), ("a b", None), ("", None), (None, None)],
)
def test_a_request_id_that_does_not_fit_is_dropped(header: str | None, kept: str | None) -> None:
    assert read_request_id(header) == kept
