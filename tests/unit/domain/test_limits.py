"""How big free JSON may be: every limit just kept, and just passed."""

from typing import Any

import pytest

from domain.limits import DEPTH, ITEMS, KEYS, NODES, STRING_BYTES, check_shape, check_size


def nested(levels: int, leaf: Any = 1) -> Any:
    value = leaf
    for _ in range(levels):
        value = {"a": value}
    return value


def keyed(count: int) -> dict[str, Any]:
    return {f"k{number}": 1 for number in range(count)}


def valued(count: int) -> dict[str, Any]:
    """As many values as asked for, counting the object and its lists."""
    full, rest = divmod(count - 1, ITEMS + 1)
    return {f"l{number}": [0] * ITEMS for number in range(full)} | ({"rest": [0] * (rest - 1)} if rest else {})


KEPT_AND_PASSED: dict[str, tuple[Any, Any]] = {
    "depth": (nested(DEPTH), nested(DEPTH + 1)),
    "depth of an empty object": (nested(DEPTH - 1, {}), nested(DEPTH, {})),
    "depth of lists": ({"a": [[[[[[[[[[[1]]]]]]]]]]]}, {"a": [[[[[[[[[[[[1]]]]]]]]]]]]}),
    "keys": (keyed(KEYS), keyed(KEYS + 1)),
    "keys in all": ({"a": keyed(99), "b": keyed(99)}, {"a": keyed(100), "b": keyed(99)}),
    "items": ({"a": [1] * ITEMS}, {"a": [1] * (ITEMS + 1)}),
    "values": (valued(NODES), valued(NODES + 1)),
    "text": ({"a": "x" * STRING_BYTES}, {"a": "x" * (STRING_BYTES + 1)}),
    "text of longer letters": ({"a": "ä" * (STRING_BYTES // 2)}, {"a": "ä" * (STRING_BYTES // 2) + "x"}),
    "key": ({"x" * STRING_BYTES: 1}, {"x" * (STRING_BYTES + 1): 1}),
    "number": ({"a": 1e308}, {"a": float("inf")}),
    "number that is none": ({"a": 0.0}, {"a": float("nan")}),
    "letters": ({"a": "\U0001f6f6"}, {"a": "\ud800"}),
    "letters of a key": ({"\U0001f6f6": 1}, {"\ud800": 1}),
}


@pytest.mark.parametrize("case", KEPT_AND_PASSED)
def test_a_value_at_its_limit_passes_and_one_beyond_does_not(case: str) -> None:
    kept, passed = KEPT_AND_PASSED[case]
    assert check_shape(kept, "input") == []
    [fault] = check_shape(passed, "input")
    assert fault.path[0] == "input"
    # A fault is shown to the caller, so it must be possible to write it down.
    assert repr(fault).encode()
    "".join(str(part) for part in fault.path).encode()


def test_size_is_counted_in_bytes_of_compact_json() -> None:
    assert check_size({"a": "ä"}, "metadata", 10) == []
    [fault] = check_size({"a": "ä"}, "metadata", 9)
    assert fault.path == ("metadata",)
    assert "10 bytes" in fault.message


def test_json_of_any_depth_is_walked_without_recursion() -> None:
    assert len(check_shape(nested(100_000), "input")) == 1
    value: Any = []
    for _ in range(100_000):
        value = [value]
    assert len(check_shape(value, "input")) == 1


def test_every_fault_below_the_bounds_is_named() -> None:
    faults = check_shape({"a": "x" * 9_000, "b": [float("nan"), "\ud800"]}, "input")
    assert {fault.path for fault in faults} == {("input", "a"), ("input", "b", 0), ("input", "b", 1)}
