"""Callback deliveries, and what deletion needs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery", sa.String(255), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.String(255)),
        sa.Column("answer", sa.String(255)),
        sa.Column("next_at", sa.DateTime(timezone=True)),
    )
    op.create_index("deliveries_of_run", "deliveries", ["run_id", "at"])
    op.create_index("deliveries_of_event", "deliveries", ["event_id"])
    op.create_table(
        "removed_runs",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "run_requests",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("client_request_id", sa.String(128), nullable=False),
    )
    op.create_index("run_requests_by_id", "run_requests", ["client_request_id"])
    op.create_index("runs_ended", "runs", ["ended_at"])


def downgrade() -> None:
    op.drop_index("runs_ended", "runs")
    op.drop_table("run_requests")
    op.drop_table("removed_runs")
    op.drop_table("deliveries")
