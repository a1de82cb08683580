"""A real PostgreSQL of one test session, in a folder of its own."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from domain.errors import UnavailableError
from storage.database import answering_database
from tests.support.serving import free_port
from tests.support.waiting import eventually

_DEBIAN = Path("/usr/lib/postgresql")


def _programs() -> Path | None:
    """The folder of `initdb` and `postgres`. Debian keeps them off the path."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def _as_nobody_special(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.getuid() == 0 else [*command]


@asynccontextmanager
async def running_postgres() -> AsyncIterator[str | None]:
    """The address of the server, to which a database's name is added; None where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="babychain-postgres-"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        data, port, quiet = str(folder / "data"), free_port(), asyncio.subprocess.DEVNULL
        make = _as_nobody_special(str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
        assert await (await asyncio.create_subprocess_exec(*make, stdout=quiet, cwd=folder)).wait() == 0
        run = [str(programs / "postgres"), "-D", data, "-k", str(folder), "-h", "127.0.0.1", "-p", str(port), "-F"]
        server = await asyncio.create_subprocess_exec(*_as_nobody_special(*run), stderr=quiet, cwd=folder)
        try:
            address = f"postgresql://postgres@127.0.0.1:{port}"
            await eventually(lambda: _answers(address), bool)
            yield address
        finally:
            server.terminate()
            await server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def new_database(address: str) -> str:
    """An empty database of this server."""
    name = f"test_{uuid4().hex}"
    await _execute(address, f"CREATE DATABASE {name}")
    return f"{address}/{name}"


async def _answers(address: str) -> bool:
    try:
        await _execute(address, "SELECT 1")
    except UnavailableError:
        return False
    return True


async def _execute(address: str, statement: str) -> None:
    engine = create_async_engine(
        f"{address}/postgres".replace("postgresql://", "postgresql+asyncpg://"), isolation_level="AUTOCOMMIT"
    )
    try:
        with answering_database():
            async with engine.connect() as connection:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()
