"""What a command tells a person when it can't go on."""


class CommandFailed(Exception):
    """The message says what happened and what to do about it; `details` are lines to look at, such as a log's end."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.details = details
