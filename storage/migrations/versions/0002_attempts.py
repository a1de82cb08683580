"""The ledger of attempts: what each cost and how it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("step", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("template", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("code", sa.String(128)),
        sa.Column("job", sa.String(512)),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("useful", sa.BigInteger),
        sa.Column("wasted", sa.BigInteger),
    )
    op.create_index("attempts_of_provider", "attempts", ["provider", "ended_at"])
    op.create_index("attempts_of_caller", "attempts", ["caller", "ended_at"])
    op.create_index("attempts_of_model", "attempts", ["model", "ended_at"])
    op.create_index("attempts_of_job", "attempts", ["job"])
    op.create_table(
        "run_tags",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("tag", sa.String(255), primary_key=True),
    )


def downgrade() -> None:
    op.drop_table("run_tags")
    op.drop_table("attempts")
