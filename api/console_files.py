"""The console's files as they are sent: read once, pressed once, named by what they hold."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "console"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_VERSION = b"{version}"
"""Stands in the page for the name of the folder that its files are asked from."""


@dataclass(frozen=True)
class PageFile:
    body: bytes
    pressed: bytes
    media_type: str
    etag: str


@dataclass(frozen=True)
class ConsoleFiles:
    version: str
    """Of all files together: whatever changes, the page asks for everything anew, and never mixes two states."""
    page: PageFile
    files: Mapping[str, PageFile]

    @classmethod
    def read(cls, folder: Path = FOLDER) -> "ConsoleFiles":
        bodies = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _TYPES}
        together = hashlib.sha256()
        for name, body in bodies.items():
            together.update(name.encode() + b"\0" + body)
        version = together.hexdigest()[:16]
        page = bodies.pop("index.html").replace(_VERSION, version.encode())
        return cls(version, _file("index.html", page), {name: _file(name, body) for name, body in bodies.items()})


def _file(name: str, body: bytes) -> PageFile:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return PageFile(body, gzip.compress(body, mtime=0), _TYPES[Path(name).suffix], etag)
