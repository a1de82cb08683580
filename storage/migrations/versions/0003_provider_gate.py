"""Breakers, limits and switches of provider accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "provider_accounts",
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("trouble", sa.String(32)),
        sa.Column("code", sa.String(128)),
        sa.Column("message", sa.Text),
        sa.Column("since", moment),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failed_reads", sa.Integer, nullable=False),
        sa.Column("failing_since", moment),
        sa.Column("openings", sa.Integer, nullable=False),
        sa.Column("next_probe", moment),
        sa.Column("probe_holder", sa.String(255)),
        sa.Column("probe_until", moment),
        sa.Column("limited", sa.Integer, nullable=False),
        sa.Column("paused_until", moment),
        sa.Column("paced_until", moment),
        sa.Column("next_start", moment),
        sa.Column("held_for", sa.Float, nullable=False),
        sa.Column("disabled_since", moment),
        sa.Column("disabled_by", sa.String(255)),
        sa.Column("disabled_reason", sa.Text),
    )
    op.create_table(
        "disabled_models",
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("since", moment, nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_table(
        "provider_slots",
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(255), primary_key=True),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("looked", moment, nullable=False),
        sa.Column("job", sa.Text),
    )
    op.create_table(
        "provider_waiting",
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(255), primary_key=True),
        sa.Column("since", moment, nullable=False),
        sa.Column("due", moment, nullable=False),
    )


def downgrade() -> None:
    for name in ("provider_waiting", "provider_slots", "disabled_models", "provider_accounts"):
        op.drop_table(name)
