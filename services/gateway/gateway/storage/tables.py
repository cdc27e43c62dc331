"""The gateway's own tables: small copies that tell the feed whose team an event concerns and what a notice says, and
what is being applied of the blueprint."""

import sqlalchemy as sa

from chassis.database import Json, Moment

metadata = sa.MetaData()

people = sa.Table(
    "people",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

# What a policy says that notices repeat: "responseMinutes".
terms = sa.Table(
    "terms",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

# Written before the first part of a blueprint is changed, closed after the last. At most one is open.
blueprint_applies = sa.Table(
    "blueprint_applies",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUIDv7: in order of time
    sa.Column("open", sa.Boolean, unique=True),  # empty when closed
    sa.Column("undoing", sa.Boolean, nullable=False),
    # Under whose rights the parts are asked.
    sa.Column("caller", Json, nullable=False),
    # Whoever carries it out says again and again until when; after that, another gateway may take it over.
    sa.Column("held_until", Moment, nullable=False),
    # "APPLIED", "UNDONE", or "HALF: leads, rules": the parts that somebody had changed before they were put back.
    sa.Column("result", sa.Text, nullable=False),
)

blueprint_steps = sa.Table(
    "blueprint_steps",
    metadata,
    sa.Column("apply", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    # Structs: what the part was and what it becomes.
    sa.Column("before", sa.LargeBinary, nullable=False),
    sa.Column("after", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    # The part's version once it is applied.
    sa.Column("done", sa.BigInteger),
)
