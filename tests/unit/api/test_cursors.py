"""A list's cursor: opaque, and good for one list alone."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from api.cursors import Cursor, Cursors
from domain.errors import RequestError
from storage.archive import Place

CURSORS = Cursors(b"a key")
FULL = Cursor(
    until=datetime.now(UTC),
    active=b'\x00\xff{"a token": "of the server"}',
    after=Place(datetime.now(UTC), str(uuid4())),
)


def test_a_cursor_comes_back_as_it_was() -> None:
    for cursor in (FULL, Cursor(until=FULL.until)):
        assert CURSORS.unseal(CURSORS.seal(cursor, "a list"), "a list") == cursor


def test_a_cursor_is_refused_by_another_list_by_another_key_and_once_it_was_changed() -> None:
    sealed = CURSORS.seal(FULL, "a list")
    changed = [sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :] for at in (0, 30, 60)]
    tries = [(CURSORS, sealed, "another"), (Cursors(b"other"), sealed, "a list")]
    tries += [(CURSORS, text, "a list") for text in (*changed, "", "é", "!", "AAAA", sealed[:-3])]
    for cursors, text, scope in tries:
        with pytest.raises(RequestError) as caught:
            cursors.unseal(text, scope)
        assert (caught.value.reason, caught.value.faults[0].path) == ("invalid_cursor", ("cursor",))


def test_a_cursor_knows_the_last_runs_it_has_shown_and_stays_short() -> None:
    runs = [str(uuid4()) for _ in range(300)]
    cursor = Cursor(until=FULL.until)
    for run in runs:
        assert not cursor.has_shown(run)
        cursor = cursor.model_copy(update={"seen": cursor.showing([run])})
    assert all(cursor.has_shown(run) for run in runs[-200:])
    assert len(CURSORS.seal(cursor, "a list")) < 3_000
