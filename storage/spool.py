"""Bytes on their way in: counted and hashed, in memory while they are few, in a temporary file beyond that."""

import asyncio
import hashlib
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from storage.blobs import answering_store
from storage.media_types import invalid

IN_MEMORY = 8 * 1024 * 1024

_FLUSH = 1024 * 1024


class Spool:
    """`with Spool(limit) as spool`, `write` chunk by chunk, `finish`; the file is gone afterwards."""

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self.file = SpooledTemporaryFile[bytes](max_size=IN_MEMORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.file.close()

    async def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._limit:
            raise invalid("too_large", f"The file is larger than {self._limit} bytes.")
        self._waiting += chunk
        if len(self._waiting) >= _FLUSH:
            await self._flush()

    async def finish(self) -> str:
        """The SHA-256 of everything written, in hex; the file stands at its start."""
        await self._flush()
        self.file.seek(0)
        return self._hash.hexdigest()

    @property
    def is_in_memory(self) -> bool:
        return self.size <= IN_MEMORY

    async def _flush(self) -> None:
        # A thread costs more than it saves while everything stays in memory.
        if self.is_in_memory:
            self._flush_now()
        else:
            await asyncio.to_thread(self._flush_now)

    def _flush_now(self) -> None:
        self._hash.update(self._waiting)
        with answering_store():
            self.file.write(self._waiting)
        self._waiting.clear()
