"""Who is told of alerts and sent reports: people, and all with a role."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import people
from chassis.transaction import Transaction
from reports.storage import names
from reports.storage.tables import people as people_table

# Those that come with the product: their news may be older than this service.
_ROLES = frozenset(f"roles/{one}" for one in ("admin", "manager", "sales", "backoffice", "finance"))


def unknown(tx: Transaction, field: str, named: Sequence[str]) -> list[tuple[str, str, str]]:
    """What to say of that field, of each "people/..." and "roles/..." that is none."""
    told = [who for who in named if who.startswith(("people/", "roles/"))]
    known = {one.name for one in people.find_all(tx, people_table, [who for who in told if who.startswith("people/")])}
    known |= _ROLES | names.roles(tx)
    return [(field, f"{who} is not known", f"{who} 不存在") for who in told if who not in known]
