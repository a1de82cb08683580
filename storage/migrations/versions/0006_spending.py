"""Spend reservations: what running runs may still cost."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spend_reservations",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
    )
    op.create_index("spend_reservations_of_caller", "spend_reservations", ["caller"])


def downgrade() -> None:
    op.drop_table("spend_reservations")
