"""The figures of all providers ask for the attempts of the last hours."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("attempts_ended", "attempts", ["ended_at"])


def downgrade() -> None:
    op.drop_index("attempts_ended", "attempts")
