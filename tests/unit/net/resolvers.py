"""Resolvers for tests: what DNS would say, and one that must not be asked."""

from collections.abc import Sequence


class Answers:
    """Gives its answers one after the other and the last one for ever; remembers what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def no_dns(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"DNS was asked for {host!r}")


async def unknown_name(host: str, port: int) -> Sequence[str]:
    raise OSError("no such name")
