"""A run's files on the way to a folder: each is whole, or it is not there."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx

from babychain_client.errors import DownloadFailed
from babychain_client.exchange import REPEATED, backoff
from babychain_client.states import RunState

_SHA256 = re.compile(r'"([0-9a-f]{64})"')
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_ENDINGS = {"image/jpeg": ".jpeg", "image/webp": ".webp"}


@dataclass(frozen=True)
class Output:
    name: str
    """Of its file, without the ending: that depends on what comes."""
    url: str


def outputs_of(state: RunState) -> list[Output]:
    """Every file of every step, named by the step; a step with several numbers them."""
    found = []
    for step in state.steps:
        name = _UNFIT.sub("_", step.key)
        several = len(step.outputs) > 1
        found += [Output(f"{name}-{n}" if several else name, url) for n, url in enumerate(step.outputs, 1)]
    return found


@dataclass
class Saving:
    """Writes under another name, and gives the file its own once it is whole and of the hash that the API says."""

    output: Output
    folder: Path
    path: Path | None = None
    _file: BinaryIO | None = None
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def _part(self) -> Path:
        return self.folder / f".{self.output.name}.part"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("wb")
        return self

    def write(self, chunk: bytes) -> None:
        assert self._file is not None  # noqa: S101 - written to inside the block only
        self._file.write(chunk)
        self._hash.update(chunk)

    def finish(self, answer: httpx.Response) -> Path:
        told = _SHA256.fullmatch(answer.headers.get("etag", ""))
        if told and told[1] != self._hash.hexdigest():
            raise DownloadFailed(f"What came of {self.output.name} is not what the API has stored; fetch it again.")
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        self.path = self.folder / (self.output.name + (_ENDINGS.get(kind) or mimetypes.guess_extension(kind) or ""))
        assert self._file is not None  # noqa: S101 - as above
        self._file.close()
        self._part.replace(self.path)
        return self.path

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)


def refuse(output: Output, answer: httpx.Response) -> None:
    if answer.is_success:
        return
    if answer.status_code in REPEATED:
        raise Busy(f"The file of {output.name} is not to be had now: {answer.status_code}; fetch it again later.")
    raise DownloadFailed(
        f"The file of {output.name} answered {answer.status_code}; read the run again for a fresh link."
    )


class Busy(DownloadFailed):
    """Nothing is wrong with the link."""


def pause(output: Output, error: httpx.TransportError | Busy, number: int, tries: int) -> float:
    """Seconds until the file is asked for again, after so many tries; raises once they are used up."""
    if number < tries:
        return backoff(number)
    if isinstance(error, Busy):
        raise error
    raise DownloadFailed(f"The file of {output.name} did not come whole; fetch it again.") from error
