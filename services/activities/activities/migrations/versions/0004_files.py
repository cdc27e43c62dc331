"""Files."""

revision = "activities_0004"
down_revision = "activities_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
