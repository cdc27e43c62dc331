"""The customers and contacts that their service told of."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from opportunities.storage.tables import parties

_COLUMNS = ("name", "customer", "deleted", "version")
_NEWER = (
    "(name) DO UPDATE SET customer = excluded.customer, deleted = excluded.deleted, version = excluded.version "
    "WHERE parties.version < excluded.version"
)


def know(tx: Transaction, told: Sequence[tuple[str, str, bool, int]]) -> None:
    """Keeps the newest of each (name, customer of a contact, deleted, version)."""
    newest = {row[0]: row for row in sorted(told, key=lambda row: row[3])}
    insert_rows(tx.connection, parties, _COLUMNS, [newest[name] for name in sorted(newest)], conflict=_NEWER)


def there(tx: Transaction, names: Sequence[str]) -> dict[str, str]:
    """Those of these names that are known and not deleted, with the customer of a contact."""
    query = sa.select(parties.c.name, parties.c.customer).where(
        in_values(parties.c.name, sorted(set(names)), tx.dialect), parties.c.deleted.is_(False)
    )
    return {row[0]: row[1] for row in tx.execute(query)} if names else {}
