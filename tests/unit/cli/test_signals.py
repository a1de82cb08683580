"""Which signals end a command, and how a command that ended by itself is told from one that was ended."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from cli.signals import run


@pytest.fixture(params=[signal.SIG_IGN, signal.SIG_DFL])
def hang_up(request: pytest.FixtureRequest) -> Iterator[signal.Handlers]:
    before = signal.signal(signal.SIGHUP, request.param)
    yield request.param
    signal.signal(signal.SIGHUP, before)


async def hung_up() -> int:
    os.kill(os.getpid(), signal.SIGHUP)
    # The handler runs in the loop's next turn.
    for _ in range(3):
        await asyncio.sleep(0)
    return 0


def test_a_command_under_nohup_outlives_its_terminal(hang_up: signal.Handlers) -> None:
    assert run(hung_up()) == (0 if hang_up is signal.SIG_IGN else 128 + signal.SIGHUP)


def test_work_that_cancels_itself_is_not_taken_for_a_signal() -> None:
    async def work() -> int:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(work())
