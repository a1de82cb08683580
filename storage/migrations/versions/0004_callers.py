"""Callers and their hashed keys."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("callback_secret", sa.Text),
        sa.Column("previous_callback_secret", sa.Text),
        sa.Column("previous_callback_until", sa.DateTime(timezone=True)),
        sa.Column("daily_cap", sa.BigInteger),
        sa.Column("monthly_cap", sa.BigInteger),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("caller", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("prefix", sa.String(12), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.String(255), nullable=False),
        sa.Column("creates_per_minute", sa.Integer),
        sa.Column("reads_per_minute", sa.Integer),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("replaced_by", sa.String(36)),
    )
    op.create_index("api_keys_of_caller", "api_keys", ["caller"])


def downgrade() -> None:
    op.drop_table("api_keys")
    op.drop_table("callers")
