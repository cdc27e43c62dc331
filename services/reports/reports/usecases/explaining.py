"""How figures come about: the postings behind them, and the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from chassis import paging
from chassis.columns import Column
from chassis.errors import Invalid
from chassis.transaction import Transaction
from reports.domain import kpi, periods
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi, Measure
from reports.domain.view import Figure, Unrated, View
from reports.settings import company_currency
from reports.storage import ledger, rates, sums
from reports.storage.sums import Question
from reports.storage.tables import postings
from reports.usecases import locating, reaching, reading, rights

# Of a ledger's entry, in the order in which it was written.
_KEY = postings.c.batch * 1_048_576 + postings.c.place
# The length of an event's id.
_ID = 32


@dataclass(frozen=True, slots=True)
class Explained:
    """`entries` are rows of the ledger, the newest first, of `measure`; `rates` those that amounts were turned with:
    (currency, date, rate). `unrated` is what is not in the figure."""

    figure: Figure
    measure: Measure
    entries: Sequence[Any]
    next_page_token: str
    rates: Sequence[tuple[str, str, str]]
    unrated: Sequence[Unrated]


def explain(tx: Transaction, of: Kpi, view: View, request: Any) -> Explained:
    """The figure, and a page of what one of its measures counted. Raises as `reading.table`, and Invalid for a measure
    that the KPI has not."""
    table = reading.table(tx, of, view)
    figure = locating.figure(of, view, table)
    measure = measure_of(of, request.measure)
    fact, timed, still = FACTS[measure.fact], _timed(tx, measure), _still_seen(tx, measure, view)
    reach = reaching.reach(tx, fact)
    traced = timed and not (fact.gathered and reach.within is not None)
    if traced and rights.open_to(tx, fact) and not reach.narrow:
        select, key, c = sa.select(postings).where(*counted(tx, of, measure, view), *still), _KEY, postings.c
    else:
        select, key, c = _alike(tx, of, measure, view, timed, traced, still)
    columns = {"learn_time": Column(c.learn_time, "int", order=True, nullable=False)} if traced else {}
    order, bound = "learn_time desc" if traced else "", _bound(tx, of, view)
    page = paging.listing(tx, select, columns, request, order, key, narrowed=True, bound=bound)
    rows = _shown(tx, measure, page.rows, timed, traced)
    used = _rates(tx, of, measure, view)
    return Explained(figure, measure, rows, page.next_page_token, used, table.unrated)


def _alike(
    tx: Transaction,
    of: Kpi,
    measure: Measure,
    view: View,
    timed: bool,
    traced: bool,
    still: Sequence[sa.ColumnElement[bool]],
) -> tuple[sa.Select[Any], Any, Any]:
    """The entries, those together that look alike to the caller: one that takes back another that differs in what he
    may not see alone would tell that it does. With a key, and the columns."""
    c = postings.c
    concealed = rights.concealed(tx, FACTS[measure.fact])
    by: list[sa.ColumnElement[Any]] = [c.record]
    # The first event alone: that there were more tells that something changed which he may not see.
    first = sa.func.substr(c.event, 1, _ID).label("event")
    by += [*((first, c.learn_time) if traced else ()), *((c.happen_time,) if timed else ())]
    if "amount" not in concealed:
        by += [c.currency, sa.func.abs(c.amount).label("worth")]
    if "seconds" not in concealed:
        by.append(sa.func.abs(c.seconds).label("took"))
    summed = (
        sa.select(
            sa.literal(measure.fact).label("fact"),
            *by,
            *(sa.cast(sa.func.sum(c[name]), sa.BigInteger).label(name) for name in ("count", "amount", "seconds")),
        )
        .where(*counted(tx, of, measure, view), *still)
        .group_by(*(one.element if isinstance(one, sa.Label) else one for one in by))
        .having(sa.func.sum(c.count) != 0)
        .subquery()
    )
    key: sa.ColumnElement[str] = summed.c.record
    for one in by[1:]:
        key = key + " " + sa.cast(summed.c[str(one.key)], sa.Text)
    return sa.select(summed), key, summed.c


def records(tx: Transaction, of: Kpi, view: View, request: Any) -> tuple[Sequence[Any], str]:
    """A page of the records that a measure counted, newest first: rows of record, owner, customer, amount, currency,
    happen_time; None, and by their names, where the caller may not know when it was. What was posted and taken back is
    not among them. Raises as `explain`."""
    measure = measure_of(of, request.measure)
    fact = rights.refuse_hidden(tx, measure, view)
    timed = _timed(tx, measure)
    c = postings.c
    # By whom it counted for: how many they were is hidden with who they were.
    whose = {"owner": c.owner, "customer": sums.customer(ledger.live(tx), c.customer, reaching.reach(tx, fact))}
    apart = sorted({*whose} - rights.concealed(tx, fact))
    summed = (
        sa.select(
            c.record,
            *(sa.func.max(column).label(name) for name, column in whose.items()),
            sa.cast(sa.func.sum(c.amount), sa.BigInteger).label("amount"),
            sa.func.max(c.currency).label("currency"),
            sa.func.max(c.happen_time).label("happen_time"),
        )
        .where(*counted(tx, of, measure, view))
        .group_by(c.record, *(whose[name] for name in apart))
        .having(sa.func.sum(c.count) != 0)
        .subquery()
    )
    columns = {"happen_time": Column(summed.c.happen_time, "int", order=True, nullable=False)}
    key: sa.ColumnElement[str] = summed.c.record
    for name in apart:
        key = key + " " + summed.c[name]
    order, bound = "happen_time desc" if timed else "", _bound(tx, of, view)
    page = paging.listing(tx, sa.select(summed), columns, request, order, key, narrowed=True, bound=bound)
    return _shown(tx, measure, page.rows, timed, timed), page.next_page_token


def _timed(tx: Transaction, measure: Measure) -> bool:
    """Whether the caller may know when what was counted happened; else not when it was learnt, nor by which event,
    either: an event's id has its time."""
    fact = FACTS[measure.fact]
    return rights.shows(tx, fact, fact.moment)


def _shown(tx: Transaction, measure: Measure, rows: Sequence[Any], timed: bool, traced: bool) -> list[Any]:
    """Rows without what the caller's role does not show of the records, nor, where they are not `timed` or `traced`,
    when it was or which event told of it."""
    concealed, has = rights.concealed(tx, FACTS[measure.fact]), FACTS[measure.fact].fields
    blank: dict[str, Any] = dict.fromkeys(concealed & {"owner", "customer"}, "")
    for name in {name for name in ("amount", "seconds") if name in concealed or name not in has}:
        blank[name] = 0
    if "amount" in concealed:
        blank["currency"] = ""
    if not timed:
        blank["happen_time"] = None
    if not traced:
        blank |= {"learn_time": None, "event": ""}
    return [SimpleNamespace(**{**row._mapping, **blank}) for row in rows]


def _bound(tx: Transaction, of: Kpi, view: View) -> str:
    """What a page goes on in, besides what was asked: what the KPI counts, the days that its period means, and the copy
    of the ledger, in which entries have places of their own."""
    return f"{of.name} {of.version} {view.period} {ledger.live(tx)}"


def _still_seen(tx: Transaction, measure: Measure, view: View) -> list[sa.ColumnElement[bool]]:
    """Leaves out what somebody held and gave away: what was posted then was posted back, and adds up to nothing."""
    fact = FACTS[measure.fact]
    within = reaching.reach(tx, fact).within
    return [] if within is None or not fact.held else [sums.seen_now(ledger.live(tx), within)]


def measure_of(of: Kpi, id: str) -> Measure:
    """The measure of that id, the first when it is empty. Raises Invalid."""
    found = next((one for one in of.measures if one.id == id or not id), None)
    if found is None:
        known = ", ".join(one.id for one in of.measures)
        raise Invalid([("measure", f"there are: {known}", f"可用：{known}")])
    return found


def counted(tx: Transaction, of: Kpi, measure: Measure, view: View) -> list[sa.ColumnElement[bool]]:
    """The criteria of the postings that a measure of a KPI counted and the caller sees. Raises Denied."""
    fact = rights.refuse_hidden(tx, measure, view)
    reach = reaching.reach(tx, fact)
    each = [sums.counted(tx, ledger.live(tx), one, reach) for one in _questions(of, measure, view)]
    return each[0] if len(each) == 1 else [sa.or_(*(sa.and_(*one) for one in each))]


def _questions(of: Kpi, measure: Measure, view: View) -> list[Question]:
    """What is asked of the ledger for what a measure counted: all of the view, or each of its parts."""
    return [reading.question(measure, reading.taken(of, measure, one)) for one in view.parts or (view,)]


def _rates(tx: Transaction, of: Kpi, measure: Measure, view: View) -> list[tuple[str, str, str]]:
    """The exchange rates that turn what a measure counted into the company's currency, each once: (currency, date,
    rate)."""
    if measure.value != kpi.AMOUNT:
        return []  # they would tell of amounts that were not asked for, nor whether they may be seen
    reach = reaching.reach(tx, FACTS[measure.fact])
    found = [one for part in _questions(of, measure, view) for one in sums.answer(tx, ledger.live(tx), part, reach)]
    home = company_currency()
    each = [
        (currency, day, str(rate))
        for currency, on in sorted({(one.currency, one.day) for one in found if one.day})
        if (used := rates.at(tx, currency, home, (periods.EPOCH + timedelta(days=on)).isoformat(), view.as_of))
        for rate, day in (used,)
    ]
    return list(dict.fromkeys(each))
