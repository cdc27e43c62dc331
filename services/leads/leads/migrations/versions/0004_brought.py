"""What a capture brought and the lead did not take; keys in the order of code points, which finds extensions."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json

revision = "leads_0004"
down_revision = "leads_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("touchpoints", sa.Column("brought", Json))
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE lead_keys ALTER COLUMN key TYPE text COLLATE "C"')


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE lead_keys ALTER COLUMN key TYPE text COLLATE "default"')
    op.drop_column("touchpoints", "brought")
