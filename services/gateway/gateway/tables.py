"""The gateway's own tables: small copies that tell the feed whose team an event concerns and what a notice says."""

import sqlalchemy as sa

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
