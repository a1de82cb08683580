"""What a command tells a person when it can't go on, and what its exit code tells a script."""

from enum import IntEnum

from babychain_client import (
    ApiError,
    BabyChainError,
    ConnectionFailed,
    NotFound,
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


class Interrupted(CommandFailed):
    """Somebody pressed Ctrl-C where there was nothing to put away."""

    exit_code = Exit.INTERRUPTED


def told(error: BabyChainError) -> str:
    """All that a person needs to go on: what happened, what helps, and whose run it was."""
    said = str(error)
    if isinstance(error, ConnectionFailed) and error.unreached:
        said += " Start it (`babychain dev`) or set BABYCHAIN_URL."
    if isinstance(error, ApiError):
        said = "\n  → ".join([said, *error.guidance.get("what_to_try_next", ())])
    if error.run_id and error.run_id not in said and not isinstance(error, NotFound):
        said += f" Its run is {error.run_id}."
    return said


def exit_of_run(state: RunState) -> Exit:
    endings = {"succeeded": Exit.DONE, "failed": Exit.RUN_FAILED, "canceled": Exit.RUN_CANCELED}
    return endings.get(state.status, Exit.STILL_RUNNING)


def exit_of_error(error: BabyChainError) -> Exit:
    if isinstance(error, WaitTimeout):
        return Exit.STILL_RUNNING
    if isinstance(error, ConnectionFailed | ServiceUnavailable | TooManyRequests):
        return Exit.UNREACHABLE
    return Exit.REFUSED if isinstance(error, ApiError) else Exit.FAILED
