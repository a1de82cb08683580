"""The archive of ended runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("template", sa.String(255), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("callback_body", sa.LargeBinary, nullable=True),
    )
    op.create_index("runs_of_caller", "runs", ["caller", sa.text("ended_at DESC"), "run_id"])
    op.create_table(
        "run_labels",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("value", sa.String(255), primary_key=True),
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("runs_of_label", "run_labels", ["caller", "kind", "value", sa.text("ended_at DESC"), "run_id"])


def downgrade() -> None:
    op.drop_table("run_labels")
    op.drop_table("runs")
