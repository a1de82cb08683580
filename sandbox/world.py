"""Everything one sandbox shares between its providers, with no globals: a process may run several."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sandbox.config import Config
from sandbox.faults import Faults
from sandbox.inputs import Inputs
from sandbox.jobs import Jobs
from sandbox.ledger import Ledger
from sandbox.media import Studio
from sandbox.results import Results
from sandbox.tasks import Tasks
from sandbox.webhooks import Webhooks

_RIGHT_KEYS_START = "sandbox"


@dataclass(frozen=True)
class World:
    config: Config
    ledger: Ledger
    faults: Faults
    tasks: Tasks
    jobs: Jobs
    results: Results
    webhooks: Webhooks
    inputs: Inputs
    studio: Studio

    async def close(self) -> None:
        await self.tasks.close()
        await self.webhooks.close()
        await self.inputs.close()


def create_world(config: Config, providers: Collection[str]) -> World:
    faults = Faults(providers)
    tasks = Tasks()
    return World(
        config=config,
        ledger=Ledger(),
        faults=faults,
        tasks=tasks,
        jobs=Jobs(tasks),
        results=Results(config, faults),
        webhooks=Webhooks(faults, tasks, config.webhook_retry_seconds),
        inputs=Inputs(downloads=config.media == "real" or config.sees_pictures),
        studio=Studio(config.media),
    )


def account_of(key: str) -> str | None:
    """The account behind a key, or None for a wrong one. Only this digest of the key is kept."""
    if not key.startswith(_RIGHT_KEYS_START):
        return None
    return hashlib.sha256(key.encode()).hexdigest()[:16]
