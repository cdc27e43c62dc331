"""Check-ins are found by the pictures on which they rest."""

from alembic import op

revision = "activities_0010"
down_revision = "activities_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("photo", "signature"):
        op.create_index(f"check_ins_{name}", "check_ins", [name])


def downgrade() -> None:
    for name in ("photo", "signature"):
        op.drop_index(f"check_ins_{name}", "check_ins")
