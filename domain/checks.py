"""What asking a provider, without spending anything, tells of the key that we hold."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class KeyVerdict(StrEnum):
    GOOD = "good"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The provider answered, and its answer says nothing about the key."""
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Checked:
    verdict: KeyVerdict
    says: str
    """Safe to show: what was asked and what came back, in a few words."""


@runtime_checkable
class Checkable(Protocol):
    """An adapter whose provider has a call that is free and needs a good key. Others are asked for a job."""

    async def check(self) -> Checked: ...
