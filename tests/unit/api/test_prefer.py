"""`Prefer: wait=N`, as RFC 7240 has it."""

import pytest

from api.waiting import LONGEST_WAIT, wait_asked


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["wait=10"], 10),
        (["Wait = 10"], 10),
        (['wait="10"'], 10),
        (["respond-async, wait=10"], 10),
        (["respond-async", "wait=10"], 10),
        (['note="a, wait=5", wait=10; x=1'], 10),
        (["wait=5, wait=10"], 5),
        (["wait=100000"], LONGEST_WAIT),
        (None, None),
        ([""], None),
        (["wait"], None),
        (["wait=0"], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=" + "9" * 5000], None),
        (["waits=10"], None),
    ],
)
def test_the_first_wait_counts_and_what_cannot_be_read_is_no_preference(
    headers: list[str] | None, seconds: int | None
) -> None:
    assert wait_asked(headers) == seconds
