"""What a command tells a person when it can't go on, and what its exit code tells a script."""

from enum import IntEnum

from babychain_client import (
    ApiError,
    BabyChainError,
    ConnectionFailed,
    RunState,
    ServiceUnavailable,
    TooManyRequests,
    WaitTimeout,
)


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    MISUSED = 2
    """The command line itself is wrong."""
    REFUSED = 3
    """The API refused: the same request will be refused again."""
    UNREACHABLE = 4
    """The API, or what it needs, did not answer, or has no time: the same request may work later."""
    RUN_FAILED = 5
    RUN_CANCELED = 6
    STILL_RUNNING = 7
    """The wait was over before the run was."""
    INTERRUPTED = 130


class CommandFailed(Exception):
    """The message says what happened and what to do about it; `details` are lines to look at, such as a log's end."""

    exit_code = Exit.FAILED

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.details = details


class Misused(CommandFailed):
    """The command line, or a file that it names, is not what the command takes. Nothing was started."""

    exit_code = Exit.MISUSED


def exit_of_run(state: RunState) -> Exit:
    endings = {"succeeded": Exit.DONE, "failed": Exit.RUN_FAILED, "canceled": Exit.RUN_CANCELED}
    return endings.get(state.status, Exit.STILL_RUNNING)


def exit_of_error(error: BabyChainError) -> Exit:
    if isinstance(error, WaitTimeout):
        return Exit.STILL_RUNNING
    if isinstance(error, ConnectionFailed | ServiceUnavailable | TooManyRequests):
        return Exit.UNREACHABLE
    return Exit.REFUSED if isinstance(error, ApiError) else Exit.FAILED
