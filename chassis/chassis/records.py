"""Records that people keep, by the standard methods: found, listed, created, changed, deleted, brought back.

A service describes each kind of record once (`Kind`); rights, etags, deletion that can be undone for 30 days, audit
rows and announcements are then the same for all of them. A record is a frozen dataclass whose fields are the columns of
its table, in their order; among them are those of `Kept`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis import ids, paging, staleness
from chassis.access import Principal, Scope, refuse_read_only, visible
from chassis.columns import Column
from chassis.database import in_values, insert_rows, update_rows
from chassis.errors import Denied, Invalid, NotFound, Stale, not_deleted
from chassis.transaction import Transaction

KEPT_DELETED = timedelta(days=30)
_COUNTED = 10_000


class Kept(Protocol):
    """What every record has. `version` is the etag; `delete_time` is when it was deleted, None while it is there."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def create_time(self) -> datetime: ...
    @property
    def update_time(self) -> datetime: ...
    @property
    def delete_time(self) -> datetime | None: ...


R = TypeVar("R", bound=Kept)


def _silent(tx: Transaction, before: Any, after: Any) -> None:
    """Announces nothing."""


@dataclass(frozen=True)
class Kind(Generic[R]):
    """A kind of record. `resource` is the right it needs and the first part of its names; `word` what the audit calls
    it ("customer"). `owner` is the column with the person whose it is; where there is none, rights on the kind are all
    or nothing. What nobody owns is for everybody whose scope is a team, or with `team`, the column with the team that
    it is for, for whoever has that one in his scope. What has a `parent` (its column, the parent's kind) is whose the
    parent is, and away while that is deleted. `also` widens what a caller reads (what is shared with him).
    `named`: its ids may be words of its maker's, too. `announce(tx, before, after)` tells of every change; before is
    None for a new record, after None for one that is gone for good. `shown` is the record as an answer has it, and
    `spelt` are the columns whose field is called otherwise there."""

    resource: str
    word: str
    table: sa.Table
    type: type[R]
    columns: Mapping[str, Column]
    people: sa.Table
    shown: Callable[[Any], Message]
    spelt: Mapping[str, str] = field(default_factory=dict)
    owner: str = "owner"
    team: str = ""
    parent: tuple[str, Kind[Any]] | None = None
    named: bool = False
    order: str = "create_time desc"
    also: Callable[[Principal], sa.ColumnElement[bool] | None] = lambda principal: None
    announce: Callable[[Transaction, Any, Any], None] = _silent

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in fields(self.type))  # type: ignore[arg-type]

    @cached_property
    def select(self) -> sa.Select[Any]:
        return sa.select(*(self.table.c[name] for name in self.names))

    def new_name(self) -> str:
        return f"{self.resource}/{ids.new_id()}"

    def is_name(self, name: str) -> bool:
        id = "[a-z0-9][a-z0-9-]{1,62}" if self.named else "[0-9a-f]{32}"
        return re.fullmatch(f"{self.resource}/{id}", name) is not None


def criteria(kind: Kind[Any], principal: Principal, verb: str, resource: str = "") -> sa.ColumnElement[bool]:
    """SQL for the records that the caller's scope covers: the scope of his right on `resource`, or on the kind itself.
    Raises Denied without any right."""
    scope = principal.require(resource or kind.resource, verb)
    if kind.parent is not None:
        column, parent = kind.parent
        there = sa.select(parent.table.c.name).where(
            parent.table.c.delete_time.is_(None), criteria(parent, principal, verb, resource or kind.resource)
        )
        return kind.table.c[column].in_(there)
    if not kind.owner:
        return sa.true()
    covered = visible(principal, scope, kind.table.c[kind.owner], kind.people)
    if scope is Scope.TEAM:
        nobodys = kind.table.c[kind.owner] == ""
        if kind.team:
            nobodys = sa.and_(nobodys, kind.table.c[kind.team].in_(principal.teams or ("",)))
        covered = sa.or_(covered, nobodys)
    further = kind.also(principal) if verb == "read" and scope is not Scope.ALL else None
    return covered if further is None else sa.or_(covered, further)


def find(tx: Transaction, kind: Kind[R], name: str, deleted: bool = False) -> R:
    """The record, if the caller may see it. Raises NotFound; `deleted`: one that was deleted will do, too."""
    if not kind.is_name(name):
        raise NotFound(f"{kind.resource}/...")
    query = kind.select.where(kind.table.c.name == name, criteria(kind, tx.principal, "read"))
    row = tx.execute(query).first()
    record = kind.type(*row) if row else None
    if record is None or (record.delete_time is not None and not deleted):
        raise NotFound(name)
    return record


def of_names(tx: Transaction, kind: Kind[R], names: Sequence[str], lock: bool = False) -> dict[str, R]:
    """Records by name, whoever asks, deleted ones too; `lock` holds them until the commit, in the order of names."""
    query = kind.select.where(in_values(kind.table.c.name, sorted(set(names)), tx.dialect))
    if lock and tx.dialect == "postgresql":
        query = query.order_by(kind.table.c.name).with_for_update()
    return {row[0]: kind.type(*row) for row in tx.execute(query)} if names else {}


def hold(tx: Transaction, kind: Kind[R], name: str, etag: str = "", verb: str = "write", deleted: bool = False) -> R:
    """The record, held until the commit, if the caller may change it and it is as he read it.

    Raises NotFound out of reach, Denied for one that he may only see, Stale when the etag is old.
    """
    find(tx, kind, name, deleted)
    record = of_names(tx, kind, [name], lock=True).get(name)
    if record is None or (record.delete_time is not None and not deleted):
        raise NotFound(name)
    mine = sa.select(sa.literal(1)).where(kind.table.c.name == name, criteria(kind, tx.principal, verb))
    if tx.execute(mine).first() is None:
        raise Denied(f"{kind.resource}.{verb}")
    refuse_stale(tx, kind, record, etag)
    return record


def refuse_stale(tx: Transaction, kind: Kind[R], record: R, etag: str) -> None:
    """Raises Stale, with what was changed since, unless the caller saw the record as it is or did not say."""
    if etag and etag != str(record.version):
        raise stale(tx, kind, record, etag)


def stale(tx: Transaction, kind: Kind[R], record: R, etag: str = "", only: Sequence[str] = ()) -> Stale:
    """What to raise for a record that is not any more what the caller goes by; `only` where it is about these fields
    alone."""
    return staleness.stale(tx, etag, kind.shown(record), kind.spelt, only)


def page(
    tx: Transaction,
    kind: Kind[R],
    request: Any,
    *more: sa.ColumnElement[bool],
    within: sa.ColumnElement[bool] | None = None,
) -> tuple[list[R], str, int | None]:
    """One page of what the caller may see, the next page's token, and how many there are where that is cheap to say.
    Deleted records only where the request says `show_deleted`. `within` takes the place of `criteria`, for a kind of
    which he may see less."""
    tx.principal.require(kind.resource, "read")
    query = kind.select.where(*more)
    if not getattr(request, "show_deleted", False):
        query = query.where(kind.table.c.delete_time.is_(None))
    hidden = tx.principal.grant(kind.resource).hidden
    found = paging.listing(
        tx,
        query,
        kind.columns,
        request,
        kind.order,
        kind.table.c.name,
        hidden=hidden,
        count=partial(_few, tx, kind),
        within=criteria(kind, tx.principal, "read") if within is None else within,
    )
    width = len(kind.names)
    return [kind.type(*row[:width]) for row in found.rows], found.next_page_token, found.total


# The tables, by database, that were once too large to count in: they are not looked at again.
_large: WeakKeyDictionary[sa.Engine, set[str]] = WeakKeyDictionary()


def _few(tx: Transaction, kind: Kind[Any]) -> bool:
    large = _large.setdefault(tx.connection.engine, set())
    if kind.table.name in large:
        return False
    beyond = sa.select(kind.table.c.name).order_by(kind.table.c.name).offset(_COUNTED).limit(1)
    if tx.execute(beyond).first() is None:
        return True
    large.add(kind.table.name)
    return False


def create(tx: Transaction, kind: Kind[R], record: R, detail: Mapping[str, Any] | None = None) -> R:
    """Stores a new record."""
    insert_rows(tx.connection, kind.table, kind.names, [_values(kind, record)])
    tx.audit(f"{kind.word}.created", record.name, detail)
    kind.announce(tx, None, record)
    return record


def save(tx: Transaction, kind: Kind[R], before: R, after: R, action: str = "changed") -> R:
    """Writes what changed of a record that the caller holds; nothing when nothing did. Raises Stale when somebody was
    faster all the same."""
    return save_all(tx, kind, [(before, after)], action)[0]


def save_all(tx: Transaction, kind: Kind[R], changes: Sequence[tuple[R, R]], action: str = "changed") -> list[R]:
    """The same for many, (before, after) each, in a statement for those that change alike."""
    alike: dict[tuple[str, ...], list[tuple[R, R]]] = {}
    now = []
    for before, after in changes:
        changed = tuple(name for name in kind.names if name != "version" and _differs(before, after, name))
        if not changed:
            now.append(before)
            continue
        after = altered(after, version=before.version + 1, update_time=tx.now)
        alike.setdefault(tuple(dict.fromkeys((*changed, "update_time"))), []).append((before, after))
        now.append(after)
    for changed, same in alike.items():
        rows = [
            (before.name, before.version, after.version, *(getattr(after, name) for name in changed))
            for before, after in sorted(same, key=lambda change: change[0].name)
        ]
        written = update_rows(
            tx.connection, kind.table, ("name", "version"), ("version", *changed), rows, returning=("name",)
        )
        there = {row[0] for row in written}
        for name, seen, *_ in rows:
            if name not in there:
                faster = of_names(tx, kind, [name]).get(name)
                raise stale(tx, kind, faster, str(seen)) if faster else NotFound(name)
        for before, after in same:
            tx.audit(f"{kind.word}.{action}", after.name, staleness.told(before, after, changed))
            kind.announce(tx, before, after)
    return now


def _differs(before: Any, after: Any, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def patch(tx: Transaction, kind: Kind[R], name: str, etag: str, values: Mapping[str, Any]) -> R:
    """Changes these fields. Raises as `hold`, and Denied for a field that the caller's role may not change."""
    refuse_read_only(tx.principal, kind.resource, list(values))
    before = hold(tx, kind, name, etag)
    return save(tx, kind, before, altered(before, **values))


def delete(tx: Transaction, kind: Kind[R], name: str, etag: str = "") -> R:
    """Deletes a record; for 30 days it can be brought back."""
    before = hold(tx, kind, name, etag, "delete")
    return save(tx, kind, before, altered(before, delete_time=tx.now), "deleted")


def undelete(tx: Transaction, kind: Kind[R], name: str) -> R:
    """Brings a deleted record back. Raises NotFound after 30 days, NOT_DELETED for one that is there."""
    before = hold(tx, kind, name, verb="delete", deleted=True)
    if before.delete_time is None:
        raise not_deleted(name)
    return save(tx, kind, before, altered(before, delete_time=None), "undeleted")


def purge(tx: Transaction, kind: Kind[R], most: int = 200) -> bool:
    """Ends what was deleted 30 days ago for good. Returns whether there may be more."""
    table = kind.table
    query = kind.select.where(table.c.delete_time < tx.now - KEPT_DELETED).order_by(table.c.delete_time).limit(most)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    gone = [kind.type(*row) for row in tx.execute(query)]
    if gone:
        tx.execute(sa.delete(table).where(in_values(table.c.name, [record.name for record in gone], tx.dialect)))
    for record in gone:
        tx.audit(f"{kind.word}.purged", record.name)
        kind.announce(tx, record, None)
    return len(gone) == most


def paths(
    mask: Sequence[str], message: Any, changeable: Sequence[str], keyed: Sequence[str] = ("custom",)
) -> list[str]:
    """The fields that an update changes: the mask's, all for "*", those that are set without a mask; "custom.key" for
    one key of the custom values, or of others that are `keyed`. Raises Invalid for others."""
    named = list(dict.fromkeys(mask))
    if named == ["*"]:
        return list(changeable)
    if not named:
        present = {descriptor.name for descriptor, _ in message.ListFields()}
        return [name for name in changeable if name in present]
    wrong = []
    for path in named:
        head, dot, _ = path.partition(".")
        if head not in changeable:
            wrong.append((f"update_mask.{path[:64]}", "cannot be changed this way", "不能通过此方法修改"))
        elif dot and head not in keyed:
            wrong.append((f"update_mask.{path[:64]}", "is changed as a whole", "须整体修改"))
    if wrong:
        raise Invalid(wrong)
    return named


def _values(kind: Kind[Any], record: Any) -> list[Any]:
    return [getattr(record, name) for name in kind.names]


def altered(record: R, **values: Any) -> R:
    """The record with these values."""
    return replace(record, **values)  # type: ignore[type-var] # a frozen dataclass, which `Kept` has no way to say
