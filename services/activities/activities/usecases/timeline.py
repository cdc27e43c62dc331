"""What became of a record, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from activities.domain.entry import Entry
from activities.domain.known import CUSTOMERS, DEALS, KINDS, OPPORTUNITIES, Known, kind_of
from activities.storage import known as stored
from activities.storage import timeline as table
from activities.storage.timeline import ENTRIES, timeline
from activities.usecases import known
from chassis import paging
from chassis.access import VERBS, Principal, Scope
from chassis.database import in_values
from chassis.errors import Invalid
from chassis.paging import Column
from chassis.transaction import Transaction
from dealwright.activities.v1 import activities_pb2

_c = timeline.c
_COLUMNS = {
    "happen_time": Column(_c.happen_time, "time", order=True),
    "learn_time": Column(_c.learn_time, "time"),
    "kind": Column(_c.kind, "enum", activities_pb2.TimelineEntry.DESCRIPTOR.enum_types_by_name["Kind"]),
    **{name: Column(_c[name], "name") for name in ("record", "opportunity", "actor", "source")},
}

# What says what a deal is worth: it takes a right on the deal itself, not only on its customer.
_OF_DEALS = frozenset({"opportunities", "quotes", "contracts", "approvals", "instalments", "invoices", "payments"})


def put(tx: Transaction, entries: Sequence[Entry], held: Mapping[str, Known] | None = None) -> None:
    """Puts them on the timelines of their records, and of the customers and opportunities that these belong to; one of
    the same key is there once, as it was put last. `held`: those records, if the caller has them."""
    if held is None or not held.keys() >= {one.record for one in entries}:
        held = stored.hold(tx, [one.record for one in entries])
    # What is told late of what is gone for good finds no place.
    table.put(tx, [_placed(one, of) for one in entries if not (of := held[one.record]).gone])


def _placed(entry: Entry, record: Known) -> Entry:
    if not record.customer and not record.opportunity:
        return entry
    return replace(entry, customer=record.customer, opportunity=record.opportunity)


def drop(tx: Transaction, *keys: str) -> None:
    """Takes what was put under these keys away: it was deleted, or did not happen after all."""
    table.drop(tx, keys)


def forget(tx: Transaction, record: str, source: str = "") -> None:
    """All that became of what is gone for good; or what one source told of it."""
    table.forget(tx, record, source)


def show(tx: Transaction, entry: Entry, there: bool) -> None:
    """Puts what is there, and drops what is not."""
    if there:
        put(tx, [entry])
    else:
        drop(tx, entry.key)


def page(tx: Transaction, request: Any) -> tuple[list[Entry], str]:
    """One page of a record's entries, of the kinds that the caller's role may read. Raises NotFound for a record out of
    reach, Invalid for what is none."""
    if kind_of(request.record) not in KINDS:
        raise Invalid([("record", f"must begin with one of: {', '.join(KINDS)}", f"须以其一开头：{'、'.join(KINDS)}")])
    of = known.see(tx, request.record)
    place = {CUSTOMERS: _c.customer, OPPORTUNITIES: _c.opportunity}.get(of.kind, _c.record)
    query = ENTRIES.where(place == of.name)
    caller = tx.principal
    if not caller.peer:
        query = query.where(in_values(_c.resource, _readable(caller), tx.dialect))
    hidden = caller.grant("timeline").hidden
    found = paging.listing(tx, query, _COLUMNS, request, "happen_time desc", _c.key, hidden=hidden)
    entries = [Entry(*row[: len(table.COLUMNS)]) for row in found.rows]
    reached = _reached(tx, entries)
    return [_shown(caller, one, reached) for one in entries], found.next_page_token


def _of_a_deal(entry: Entry) -> bool:
    return entry.resource in _OF_DEALS or kind_of(entry.record) in DEALS


def _reached(tx: Transaction, entries: Sequence[Entry]) -> frozenset[str]:
    """Of the deals that these are about those that the caller may see: a customer of his may have others'."""
    deals = sorted({one.record for one in entries if _of_a_deal(one)})
    return frozenset(deals if tx.principal.peer else known.seen(tx, deals))


def _readable(caller: Principal) -> list[str]:
    return sorted(resource for resource in caller.grants if caller.scope(resource, VERBS[0]) is not Scope.NONE)


_SOMETHING = ("其他商机有新动态", "Something happened in another deal")


def _shown(caller: Principal, entry: Entry, reached: frozenset[str]) -> Entry:
    """Of another's deal it says that something happened: neither what it is worth nor what people wrote about it."""
    if _of_a_deal(entry) and entry.record not in reached:
        zh, en = (entry.title_zh, entry.title_en) if entry.resource in _OF_DEALS else _SOMETHING
        return replace(entry, title_zh=zh, title_en=en, detail={})
    hidden = caller.grant(entry.resource).hidden
    said = {key: value for key, value in entry.detail.items() if key.partition(".")[0] not in hidden}
    return replace(entry, detail=said)
