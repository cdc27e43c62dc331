"""The database itself notes every change of a lead's owner, whoever writes it and however he spells the statement.

What it noted is compared with what the one compare-and-set says that it wrote (C2 of every test on a desk).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from chassis.service import Runtime
from chassis.transaction import Transaction
from leads.domain.lead import Lead
from leads.storage import ownership

Ownership = tuple[str, str, int]
"""(lead, owner, owner version)."""

_TABLE = "CREATE TABLE owner_changes (lead text NOT NULL, owner text NOT NULL, owner_version bigint NOT NULL)"
_NOTE = "INSERT INTO owner_changes VALUES (NEW.name, NEW.owner, NEW.owner_version);"
_CHANGED = "OLD.owner <> NEW.owner OR OLD.owner_version <> NEW.owner_version"
_BORN = "NEW.owner <> '' OR NEW.owner_version <> 0"
_SQLITE = (
    _TABLE,
    f"CREATE TRIGGER owner_changed AFTER UPDATE ON leads WHEN {_CHANGED} BEGIN {_NOTE} END",
    f"CREATE TRIGGER owner_born AFTER INSERT ON leads WHEN {_BORN} BEGIN {_NOTE} END",
)
_POSTGRES = (
    _TABLE,
    f"CREATE FUNCTION note_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_NOTE} RETURN NULL; END $$",
    f"CREATE TRIGGER owner_changed AFTER UPDATE ON leads FOR EACH ROW WHEN ({_CHANGED}) EXECUTE FUNCTION note_owner()",
    f"CREATE TRIGGER owner_born AFTER INSERT ON leads FOR EACH ROW WHEN ({_BORN}) EXECUTE FUNCTION note_owner()",
)


def install(runtime: Runtime) -> None:
    """Puts the triggers into a migrated database."""
    with runtime.database.write() as connection:
        for statement in _SQLITE if runtime.database.is_sqlite else _POSTGRES:
            connection.exec_driver_sql(statement)


class Owners:
    """Every change of owner by what noted it."""

    def __init__(self, runtime: Runtime, patch: pytest.MonkeyPatch) -> None:
        self._runtime = runtime
        self._written: Counter[Ownership] = Counter()
        real = ownership.compare_and_set

        def compare_and_set(tx: Transaction, changes: Sequence[tuple[Lead, Lead]]) -> set[str]:
            won = real(tx, changes)
            self._written.update((now.name, now.owner, now.owner_version) for _, now in changes if now.name in won)
            return won

        patch.setattr(ownership, "compare_and_set", compare_and_set)

    def strangers(self) -> list[Ownership]:
        """Changes that the database saw and the compare-and-set did not make."""
        with self._runtime.reading() as tx:
            seen = Counter((row[0], row[1], row[2]) for row in tx.execute(sa.text("SELECT * FROM owner_changes")))
        return sorted((seen - self._written).elements())

    def forget(self) -> None:
        with self._runtime.transaction() as tx:
            tx.execute(sa.text("DELETE FROM owner_changes"))
