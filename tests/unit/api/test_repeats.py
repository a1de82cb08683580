"""Webhook deliveries that were dealt with are remembered, and not for ever."""

from api.repeats import Repeats


def test_a_delivery_is_known_once_it_was_dealt_with() -> None:
    seen = Repeats()
    assert "one" not in seen
    seen.add("one")
    assert "one" in seen


def test_a_delivery_without_an_id_is_never_a_repeat() -> None:
    seen = Repeats()
    seen.add("")
    assert "" not in seen


def test_the_oldest_are_forgotten() -> None:
    seen = Repeats(kept=2)
    for delivery in ("one", "two", "three"):
        seen.add(delivery)
    assert [delivery in seen for delivery in ("one", "two", "three")] == [False, True, True]
