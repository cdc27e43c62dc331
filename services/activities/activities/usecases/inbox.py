"""What a person was told, and what of it he has read. Everybody has his own alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import sqlalchemy as sa

from activities.domain.notice import Kind, Notice
from activities.storage import notices as storage
from activities.storage.notices import notifications
from activities.usecases import settings
from activities.wire import notice_enums
from chassis import paging
from chassis.columns import Column
from chassis.database import in_values
from chassis.errors import NotFound
from chassis.transaction import Transaction

_n = notifications.c
_NAMES = tuple(field.name for field in fields(Notice))
_SELECT = sa.select(*(_n[name] for name in _NAMES))
_COLUMNS = {
    "kind": Column(_n.kind, "enum", notice_enums.NOTICE_KIND),
    "record": Column(_n.record, "name"),
    "create_time": Column(_n.create_time, "time", order=True),
    "read": Column(_n.read_time.is_not(None), "bool", nullable=False),
}


def page(tx: Transaction, request: Any) -> tuple[list[Notice], str, int | None, int]:
    """One page of the caller's own, the next one's token, how many there are, and how many he has not read."""
    query = _SELECT.where(_n.person == tx.principal.person)
    found = paging.listing(tx, query, _COLUMNS, request, "create_time desc", _n.name, count=True)
    unread = sa.select(sa.func.count()).where(_n.person == tx.principal.person, _n.read_time.is_(None))
    return (
        [Notice(*row[: len(_NAMES)]) for row in found.rows],
        found.next_page_token,
        found.total,
        tx.execute(unread).scalar_one(),
    )


def of_name(tx: Transaction, name: str) -> Notice | None:
    """Whoever asks."""
    row = tx.execute(_SELECT.where(_n.name == name)).first()
    return Notice(*row) if row else None


def find(tx: Transaction, name: str) -> Notice:
    """Raises NotFound for another's, too."""
    found = of_name(tx, name)
    if found is None or found.person != tx.principal.person:
        raise NotFound(name if name.startswith("notifications/") else "notifications/...")
    return found


def mark_read(tx: Transaction, name: str) -> Notice:
    found = find(tx, name)
    if found.read_time is not None:
        return found
    _mark(tx, _n.name == name)
    return replace(found, read_time=tx.now)


def mark_many(tx: Transaction, names: Sequence[str]) -> int:
    """These, or all where none is named; how many were unread. Raises NotFound."""
    if not names:
        return _mark(tx, sa.true())
    mine = sa.select(_n.name).where(
        in_values(_n.name, sorted(set(names)), tx.dialect), _n.person == tx.principal.person
    )
    missing = set(names) - {row[0] for row in tx.execute(mine)}
    if missing:
        raise NotFound(min(missing))
    return _mark(tx, in_values(_n.name, sorted(set(names)), tx.dialect))


def _mark(tx: Transaction, which: sa.ColumnElement[bool]) -> int:
    unread = sa.update(notifications).where(_n.person == tx.principal.person, _n.read_time.is_(None), which)
    marked = [row[0] for row in tx.execute(unread.values(read_time=tx.now).returning(_n.name))]
    for name in sorted(marked):
        tx.audit("notification.read", name)
    return len(marked)


def preference(tx: Transaction) -> tuple[list[int], bool]:
    """The kinds that go to the caller by mail, and whether those are the company's."""
    me = tx.principal.person
    own = storage.preferred(tx, [me])
    return (own[me], False) if me in own else (sorted(settings.mailed(tx)), True)


def prefer(tx: Transaction, kinds: Sequence[int] | None) -> tuple[list[int], bool]:
    """None: what the company says."""
    wanted = None if kinds is None else sorted({Kind(kind).value for kind in kinds})
    storage.prefer(tx, tx.principal.person, wanted)
    tx.audit("notification_preference.changed", tx.principal.person, {"own": wanted is not None})
    return preference(tx)
