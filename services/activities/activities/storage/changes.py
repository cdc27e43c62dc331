"""Changes of requirements."""

from __future__ import annotations

import sqlalchemy as sa

from activities.storage.tables import deleted, kept, metadata, number, text

# In the order of domain.changes.ChangeRequest.
change_requests = sa.Table(
    "change_requests",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(text, ("record", "customer", "opportunity")),
    number("type"),
    text("detail"),
    number("schedule_days"),
    sa.Column("surcharge", sa.BigInteger),
    *map(text, ("currency", "owner", "team")),
    *kept(),
    sa.Index("change_requests_made", "create_time", "name"),
    *(sa.Index(f"change_requests_of_{of}", of, "create_time") for of in ("record", "customer", "owner")),
    deleted("change_requests"),
)
