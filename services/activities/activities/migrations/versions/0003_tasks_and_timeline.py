"""Tasks and timeline."""

revision = "activities_0003"
down_revision = "activities_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
