"""Alembic's entry point. The connection comes from `storage.database.upgrade`, which also holds the lock."""

from alembic import context

import storage.deletion
import storage.keys
import storage.provider_gate
import storage.retries  # noqa: F401
from storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite too can roll table changes back, once the transaction was begun by hand.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
