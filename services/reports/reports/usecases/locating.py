"""What one cell of a table is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from chassis.transaction import Transaction
from reports.domain import kpi, periods
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi
from reports.domain.view import DERIVED, Figure, Table, View
from reports.storage import ledger, names, sums
from reports.usecases import reaching, reading, targets


def behind(tx: Transaction, of: Kpi, view: View) -> View:
    """The view narrowed to what the cell of its keys is made of; all of the table, where it has none. Raises as
    `reading.table`."""
    whole = targets.trees(tx, view, targets.reached(tx, of, view)).get(view.keys[0]) if view.keys else None
    view = whole or _located(tx, of, view)
    if of.total != kpi.BY_COUNTED:
        return view
    (first,) = kpi.added(of)
    groups = reading.table(tx, of, replace(view, group=reading.parts_of(of), keys=())).rows
    there = [row.keys for row in groups if row.figure.inputs[of.measures[0].id]]
    if not there and view.keys and first in view.group:
        return view
    return replace(view, parts=tuple(_parts(view, first, there)), where={**view.where, first: _values(there)})


def _values(keys: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value, *_ in keys))


def _parts(view: View, first: str, keys: Iterable[Sequence[str]]) -> Iterator[View]:
    """Of groups and their months, a view of each span without a gap, with all groups of which it is one."""
    months: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for value, *month in sorted(map(tuple, keys)):
        for key in month:
            begin, end = periods.of_key("month", key).hours
            assert begin is not None, key
            assert end is not None, key
            last = months[value][-1:]
            months[value][-1:] = [(last[0][0], end)] if last and last[0][1] == begin else [*last, (begin, end)]
    alike: dict[tuple[int, int], list[str]] = defaultdict(list)
    for value, spans in months.items():
        for span in spans:
            alike[span].append(value)
    for span, values in alike.items():
        begin, end = view.hours
        both = (span[0] if begin is None else max(begin, span[0]), span[1] if end is None else min(end, span[1]))
        yield replace(view, where={**view.where, first: tuple(values)}, hours=both)


def _located(tx: Transaction, of: Kpi, view: View) -> View:
    """The view with the keys of its cell as what it is narrowed by."""
    where = dict(view.where)
    for name, key in zip(view.group, view.keys, strict=False):
        if name not in periods.GRAINS:
            source = DERIVED.get(name, name)
            values = (key,) if source == name else _owners(tx, of, view, name, key)
            where[source] = tuple(one for one in where.get(source, values) if one in values)
        elif kpi.standing(of):  # what there is now is the same in each
            view = replace(view, period=periods.both(view.period, periods.of_key(name, key)), hours=(None, None))
    return replace(view, where=where)


def _owners(tx: Transaction, of: Kpi, view: View, name: str, key: str) -> tuple[str, ...]:
    """The owners in a cell: those of whom nothing is known, too, are of no team."""
    found: set[str] = set()
    for measure in of.measures:
        asked = reading.question(measure, view, ("owner",))
        found |= {
            one.keys[0] for one in sums.answer(tx, ledger.live(tx), asked, reaching.reach(tx, FACTS[measure.fact]))
        }
    staff = names.staff(tx, sorted(found))
    return tuple(one for one in sorted(found) if staff.get(one, {}).get(name, "") == key)


def figure(of: Kpi, view: View, found: Table) -> Figure:
    """That of the cell of its keys; of all together where it has none."""
    if not view.keys:
        return found.total
    return next((row.figure for row in found.rows if row.keys == view.keys), reading.nothing(of))
