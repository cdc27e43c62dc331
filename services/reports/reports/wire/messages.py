"""What callers are told of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from google.type.money_pb2 import Money

from chassis.money import rounded
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import kpi
from reports.domain.alert import Alert
from reports.domain.drawn import Drawn
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi
from reports.domain.periods import Period
from reports.domain.posting import DIMENSIONS
from reports.domain.view import Before, Figure, Table, Unrated, View
from reports.settings import company_currency


def report(
    asked: pb.GetReportRequest,
    tiles: Sequence[pb.Report.Tile],
    learnt: datetime,
    titles: tuple[str, str] | None = None,
) -> pb.Report:
    """`titles`: in English and in Chinese; those of its only tile unless given."""
    english, chinese = titles or (tiles[0].title, tiles[0].title_zh)
    found = pb.Report(name=asked.name, display_name=english, display_name_zh=chinese, tiles=tiles)
    found.learn_time.FromDatetime(learnt)
    if asked.HasField("as_of_time"):
        found.as_of_time.CopyFrom(asked.as_of_time)
        if found.as_of_time.ToNanoseconds() < found.learn_time.ToNanoseconds():
            found.learn_time.CopyFrom(asked.as_of_time)
    return found


def tile(
    of: Kpi,
    view: View,
    table: Table,
    labels: Mapping[str, str],
    goals: Mapping[str, float],
    before: Before | None = None,
) -> pb.Report.Tile:
    """`goals` are what is to be reached, by the key of a row, "" of all together; `before` what it is compared with."""
    title, title_zh = _named(of)
    found = pb.Report.Tile(
        kpi=of.name,
        kpi_version=of.version,
        title=title,
        title_zh=title_zh,
        kpi_title=title,
        kpi_title_zh=title_zh,
        unit=of.unit,  # type: ignore[arg-type]
        group_by=view.group,
        period=view.period_text,
        filter=view.filter_text,
        not_filtered_by=view.not_filtered_by,
        total=pb.Report.Row(figure=figure(of, table.total)),
        unrated=unrated(table.unrated),
        rows=[
            pb.Report.Row(
                keys=row.keys,
                labels=[labels.get(key, key) for key in row.keys],
                figure=figure(of, row.figure),
                teams_below=row.teams_below or None,
            )
            for row in table.rows
        ],
    )
    _aim(of, found.total, goals.get(""))
    if len(view.group) == 1:
        for row in found.rows:
            _aim(of, row, goals.get(row.keys[0]) if row.keys[0] else None)
    if before is not None:
        _compare(of, found, before)
    if kpi.stands(of):
        found.as_of_date = view.today.isoformat()
    if kpi.happens(of):
        found.begin_date, found.end_date = _days(view.period)
    return found


def _compare(of: Kpi, found: pb.Report.Tile, before: Before) -> None:
    found.before_begin_date, found.before_end_date = _days(before.period)
    for row in (found.total, *found.rows):
        then = before.figures.get(tuple(row.keys), Figure(None, {}))
        row.before.CopyFrom(figure(of, then))
        if then.value and row.figure.HasField("value"):
            row.change = (row.figure.value - then.value) / abs(then.value)


def _days(of: Period) -> tuple[str, str]:
    """The first and the last; empty for all time."""
    if of.begin is None or of.end is None:
        return "", ""
    return of.begin.isoformat(), (of.end - timedelta(days=1)).isoformat()


def unrated(found: Sequence[Unrated]) -> list[pb.Report.Unrated]:
    return [
        pb.Report.Unrated(measure=one.measure, amount=money(one.amount, one.currency), count=one.count) for one in found
    ]


def drawn(of: Drawn, labels: Mapping[str, str]) -> pb.Report.Tile:
    """A tile of a board. What the caller may not see has no figures."""
    found = tile(of.kpi, of.view, of.table or Table([], Figure(None, {})), labels, of.goals, of.before)
    if of.table is None:
        found.failed = of.failed
        found.denied = not of.failed
        found.ClearField("total")
    elif of.groups > len(of.table.rows):
        found.groups = of.groups
    if of.tile.title or of.tile.title_zh:
        found.title = of.tile.title or of.tile.title_zh
        found.title_zh = of.tile.title_zh or of.tile.title
    found.chart = of.tile.chart  # type: ignore[assignment]
    for one in (*([of.overlay] if of.overlay is not None else []), *of.more):
        found.unrated.extend(unrated(one.unrated))
    if of.overlay is not None:
        found.overlay_title, found.overlay_title_zh = _named(of.overlay.kpi)
        found.overlay_unit = of.overlay.kpi.unit  # type: ignore[assignment]
        if of.table is not None:
            found.total.overlay.CopyFrom(figure(of.overlay.kpi, of.overlay.total))
        for row in found.rows:
            second = of.overlay.figures.get(tuple(row.keys))
            if second is not None:
                row.overlay.CopyFrom(figure(of.overlay.kpi, second))
    for one in of.more:
        title, title_zh = _named(one.kpi)
        found.more.add(kpi=one.kpi.name, title=title, title_zh=title_zh, unit=one.kpi.unit)
        found.total.more.append(figure(one.kpi, one.total))
        for row in found.rows:
            row.more.append(figure(one.kpi, one.figures[tuple(row.keys)]))
    return found


def _named(of: Kpi) -> tuple[str, str]:
    """What it is called, in English and in Chinese; in the other where one of them is not said."""
    return of.display_name or of.display_name_zh, of.display_name_zh or of.display_name


def _aim(of: Kpi, row: pb.Report.Row, goal: float | None) -> None:
    if goal is not None:
        row.target.CopyFrom(figure(of, Figure(goal, {})))
        value = row.figure.value
        if of.lower_is_better and value > goal / kpi.MOST:
            row.attainment = goal / value
        elif row.figure.HasField("value") and not of.lower_is_better:
            row.attainment = value / goal


def figure(of: Kpi, found: Figure) -> pb.Report.Figure:
    said = pb.Report.Figure(inputs=dict(found.inputs), left_out=found.left_out or None)
    if found.value is not None:
        said.value = found.value
        if of.unit == kpi.MONEY:
            said.amount.CopyFrom(money(int(Decimal(repr(found.value)) * 10_000), company_currency()))
    return said


def money(units: int, currency: str) -> Money:
    """Of ten-thousandths."""
    whole, rest = divmod(abs(units), 10_000)
    sign = -1 if units < 0 else 1
    return Money(currency_code=currency, units=sign * whole, nanos=sign * rest * 100_000)


def explanation(of: Kpi, found: Any) -> pb.Explanation:
    said = pb.Explanation(
        kpi=definition(of),
        figure=figure(of, found.figure),
        next_page_token=found.next_page_token,
        rates=[pb.Explanation.Rate(currency=c, date=d, rate=r) for c, d, r in found.rates],
        unrated=unrated(found.unrated),
    )
    for entry in found.entries:
        one = said.postings.add(
            measure=found.measure.id,
            fact=entry.fact,
            record=entry.record,
            events=entry.event.split(),
            count=entry.count,
            seconds=entry.seconds,
        )
        _stamp(one.happen_time, entry.happen_time)
        _stamp(one.learn_time, entry.learn_time)
        if entry.currency:
            one.amount.CopyFrom(money(entry.amount, entry.currency))
    return said


def mark(of: Alert) -> pb.Report.Mark:
    where = {"group_by": of.group_by, "key": of.key, "team": of.team}
    return pb.Report.Mark(alert=of.name, begin_date=of.begin_date, end_date=of.end_date, **where)


def backtest(found: Sequence[Any], mean_error: float | None) -> pb.BacktestReportResponse:
    def amount(value: Decimal) -> Money:
        return money(int(rounded(value, company_currency()) * 10_000), company_currency())

    return pb.BacktestReportResponse(
        months=[
            pb.BacktestReportResponse.Month(
                date=one.day.isoformat(),
                forecast=amount(one.forecast),
                decided_forecast=amount(one.decided_forecast),
                won=amount(one.won),
                open=one.open,
                undecided=one.undecided,
                error=one.error,
            )
            for one in found
        ],
        mean_error=mean_error,
    )


def counted(row: Any, follow_ups: Sequence[Any] = ()) -> pb.ListRecordsResponse.Counted:
    """`follow_ups`: its customer's, as usecases.following has them."""
    found = pb.ListRecordsResponse.Counted(name=row.record, owner=row.owner, customer=row.customer)
    for one in follow_ups:
        told = found.follow_ups.add(name=one.record, owner=one.owner, method=one.channel, outcome=one.detail)
        _stamp(told.happen_time, one.happen_time)
    _stamp(found.happen_time, row.happen_time)
    if row.currency:
        found.amount.CopyFrom(money(row.amount, row.currency))
    return found


def definition(of: Kpi) -> pb.Kpi:
    found = pb.Kpi(
        name=of.name,
        display_name=of.display_name,
        display_name_zh=of.display_name_zh,
        description=of.description,
        description_zh=of.description_zh,
        unit=of.unit,  # type: ignore[arg-type]
        formula=of.formula,
        dimensions=of.dimensions,
        total=of.total,  # type: ignore[arg-type]
        version=of.version,
        owner=of.owner,
        lower_is_better=of.lower_is_better,
        etag=str(of.revision),
        measures=[
            pb.Kpi.Measure(
                id=one.id,
                fact=one.fact,
                value=one.value,  # type: ignore[arg-type]
                span=one.span,  # type: ignore[arg-type]
                days=one.days,
                where=[pb.Kpi.Condition(dimension=name, values=values) for name, values in one.where],
            )
            for one in of.measures
        ],
    )
    for name in ("create_time", "update_time", "delete_time"):
        moment = getattr(of, name)
        if moment is not None:
            getattr(found, name).FromDatetime(moment)
    return found


def facts() -> list[pb.Fact]:
    return [
        pb.Fact(
            id=one.id,
            display_name=one.display_name,
            display_name_zh=one.display_name_zh,
            resource=one.resource,
            dimensions=[name for name in DIMENSIONS if name in one.fields],
            stock=one.stock,
        )
        for one in FACTS.values()
    ]


def _stamp(field: Any, micros: int | None) -> None:
    if micros is not None:
        field.FromMicroseconds(micros)
