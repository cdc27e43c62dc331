"""Who decides about opportunities reads them."""

import sqlalchemy as sa
from alembic import op

from chassis import deciders

revision = "opportunities_0005"
down_revision = "opportunities_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("deciders", *deciders.columns())
    there = sa.text("reads")
    op.create_index("deciders_person", "deciders", ["person"], postgresql_where=there, sqlite_where=there)
    op.create_index("deciders_record", "deciders", ["record"])
