"""Who decides about opportunities reads them."""

import sqlalchemy as sa
from alembic import op

from chassis import deciders

revision = "activities_0009"
down_revision = "activities_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("deciders", *deciders.columns())
    there = sa.text("reads")
    op.create_index("deciders_person", "deciders", ["person"], postgresql_where=there, sqlite_where=there)
    op.create_index("deciders_record", "deciders", ["record"])
