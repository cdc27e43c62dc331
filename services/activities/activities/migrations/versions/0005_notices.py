"""Notices."""

revision = "activities_0005"
down_revision = "activities_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
