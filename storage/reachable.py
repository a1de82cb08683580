"""Does the database answer at all?"""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import UnavailableError
from storage.database import answering_database

_LONGEST = 3.0


async def is_reachable(engine: AsyncEngine) -> bool:
    try:
        async with asyncio.timeout(_LONGEST):
            with answering_database():
                async with engine.connect() as connection:
                    await connection.execute(text("SELECT 1"))
    except (UnavailableError, TimeoutError):
        return False
    return True
