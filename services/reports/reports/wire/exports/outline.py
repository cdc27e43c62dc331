"""A report as tables of plain values, in one language: what all files are made of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from chassis.errors import Invalid
from chassis.fields import FieldCheck
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import board, kpi, periods
from reports.domain.exported import Cell, Column, Kind, Paper, Section, written
from reports.wire.exports import codes

LANGUAGES = ("zh", "en")
_KINDS: Mapping[int, Kind] = {
    kpi.COUNTS: Kind.COUNT,
    kpi.MONEY: Kind.MONEY,
    kpi.RATIO: Kind.RATIO,
    kpi.IN_SECONDS: Kind.SECONDS,
    kpi.IN_HOURS: Kind.LONG,
    kpi.IN_DAYS: Kind.LONG,
}
_GRAINS: Mapping[str, Kind] = {"hour": Kind.TIME, "month": Kind.MONTH, "year": Kind.YEAR}
_WORDS: Mapping[str, tuple[str, str]] = {
    "total": ("合计", "Total"),
    "target": ("目标", "Target"),
    "attainment": ("完成率", "Attainment"),
    "tile": ("图块", "Tile"),
    "figures": ("指标", "Figures"),
    "period": ("期间", "Period"),
    "unit": ("单位", "Unit"),
    "value": ("数值", "Value"),
    "overlay": ("对比项", "Compared with"),
    "second": ("对比值", "Its value"),
    "group": ("分组", "Group"),
    "none": ("（无）", "(none)"),
    "now": ("当前", "now"),
    "standing": ("截至 {}", "As of {}"),
    "unrated": ("未计入（无汇率）：{}", "Not in it, for want of an exchange rate: {}"),
    "unweighed": ("未计入（所属分组无数值）：{}", "Not in it, of groups without a figure: {}"),
    "below": ("{}（含下级团队）", "{} (with the teams below)"),
    "comma": ("，", ", "),
    "times": ("{} {}（{} 条）", "{} {} (records: {})"),
    "filter": ("筛选", "Filter"),
    "unfiltered": ("未按 {} 筛选", "not filtered by {}"),
    "denied": ("您无权导出该内容。", "You may not export this."),
    "failed": ("该内容未能统计，已记录。", "This could not be counted; it was logged."),
    "empty": ("没有数据。", "Nothing was counted."),
    "made": ("{who} 制于 {when}，数据截至 {until}", "Made by {who} at {when}, with what was learnt until {until}"),
    "as_of": ("截至 {} 已知的数据", "as known at {}"),
    "first": ("前 {} 项，共 {} 项", "first {} of {}"),
    "left_out": ("另有 {} 项未画出", "{} more are not drawn"),
    "series_left_out": ("另有 {} 个系列未画出", "series not drawn: {}"),
    "more": ("另有 {} 行，见表格文件", "{} more rows: see the spreadsheet"),
    "page": ("第 {} 页，共 {} 页", "Page {} of {}"),
    "change": ("较 {1} {0}", "{0} against {1}"),
    "ratio": ("比率", "ratio"),
    "seconds": ("秒", "seconds"),
    "hours": ("小时", "hours"),
    "days": ("天", "days"),
    "owner": ("负责人", "Owner"),
    "holder": ("当前负责人", "Current owner"),
    "channel": ("渠道", "Channel"),
    "region": ("区域", "Region"),
    "industry": ("行业", "Industry"),
    "customer": ("客户", "Customer"),
    "product": ("产品", "Product"),
    "pipeline": ("销售流程", "Pipeline"),
    "stage": ("阶段", "Stage"),
    "reason": ("原因", "Reason"),
    "detail": ("明细", "Detail"),
    "manager": ("经理", "Manager"),
    "team": ("团队", "Team"),
    "owner_region": ("负责人区域", "Owner's region"),
    "hour": ("小时", "Hour"),
    "day": ("日期", "Day"),
    "week": ("周（起始日）", "Week of"),
    "month": ("月份", "Month"),
    "quarter": ("季度（起始日）", "Quarter of"),
    "year": ("年份", "Year"),
}
# What no file takes in its texts (XML 1.0, 2.2), and line breaks: a cell is one line.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")


def language(text: str) -> str:
    """Raises Invalid."""
    if text and text not in LANGUAGES:
        check = FieldCheck()
        check.refuse("language", 'must be "zh" or "en"', "须为 “zh” 或 “en”")
        raise Invalid(check.violations)
    return text or "zh"


def words(tongue: str) -> dict[str, str]:
    return {name: both[LANGUAGES.index(tongue)] for name, both in _WORDS.items()}


def paper(of: pb.Report, tongue: str, who: str, made: datetime, zone: ZoneInfo, currency: str) -> Paper:
    """`who` is a person's name as people read it; `made` is told by the clock of `zone`."""
    said = words(tongue)

    def clock(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"

    until = clock(of.learn_time.ToDatetime(UTC))
    past = said["as_of"].format(clock(of.as_of_time.ToDatetime(UTC))) if of.HasField("as_of_time") else ""
    return Paper(
        plain(of.display_name_zh if tongue == "zh" else of.display_name),
        said["made"].format(who=plain(who), when=clock(made), until=until),
        tongue,
        currency,
        _told_apart([_section(tile, tongue, said, currency, past) for tile in of.tiles]),
        said,
    )


def _told_apart(sections: Sequence[Section]) -> list[Section]:
    """Tiles of one KPI are told apart by what they are grouped by."""
    often = Counter(one.title for one in sections)
    return [
        replace(one, title=f"{one.title} · {' × '.join(column.title for column in one.columns[: one.keys])}")
        if one.keys and often[one.title] > 1
        else one
        for one in sections
    ]


def plain(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text)


def file_name(of: Paper, report: pb.Report, ending: str) -> str:
    """What the download is called: its title, its days where all of it is about the same, and of when it was known."""
    past = f"{report.as_of_time.ToDatetime(UTC):%Y-%m-%dT%H%MZ}" if report.HasField("as_of_time") else ""
    days = {" ".join(dict.fromkeys(filter(None, (t.begin_date, t.end_date)))) or t.as_of_date for t in report.tiles}
    name = " ".join(filter(None, (of.title, days.pop() if len(days) == 1 else "", past and f"@{past}")))
    return f"{re.sub(r'[/:*?<>|]+', '-', name.replace(chr(92), '-').replace(chr(34), '-'))[:120]}.{ending}"


def _section(of: pb.Report.Tile, tongue: str, said: Mapping[str, str], currency: str, past: str) -> Section:
    chinese = tongue == "zh"
    title = plain(of.title_zh if chinese else of.title)
    second = plain(of.overlay_title_zh if chinese else of.overlay_title)
    overlaid, further = bool(second), len(of.more)
    aimed = any(row.HasField("target") for row in (*of.rows, of.total))
    columns = [Column(said.get(name, name), _GRAINS.get(name, _day_or_text(name))) for name in of.group_by]
    own = plain(of.kpi_title_zh if chinese else of.kpi_title)
    columns.append(_column(own, of.unit, said, currency))
    columns += [_column(second, of.overlay_unit, said, currency)] if overlaid else []
    columns += [_column(plain(one.title_zh if chinese else one.title), one.unit, said, currency) for one in of.more]
    columns += [_column(said["target"], of.unit, said, currency), Column(said["attainment"], Kind.RATIO)] * aimed

    def figures(row: pb.Report.Row) -> tuple[Cell, ...]:
        found: list[Cell] = [_value(row.figure)]
        found += [_value(row.overlay)] * overlaid
        found += [_value(one) for one in row.more] if row.more else [None] * further
        found += [_value(row.target), row.attainment if row.HasField("attainment") else None] * aimed
        return tuple(found)

    rows = [
        (
            *(
                said["below"].format(cell) if row.teams_below else cell
                for name, key, label in zip(of.group_by, row.keys, row.labels, strict=True)
                for cell in [_key(name, key, label, said, chinese)]
            ),
            *figures(row),
        )
        for row in of.rows
    ]
    lacking = _lacking(of, said)
    about = [*_when(of, said), f"{said['filter']} {plain(of.filter)}" if of.filter else "", past]
    whole = said["comma"].join(said.get(name, name) for name in of.not_filtered_by)
    about += [said["unfiltered"].format(whole)] if whole else []
    if of.total.HasField("change"):
        about.append(said["change"].format(f"{of.total.change:+.1%}", _span(of.before_begin_date, of.before_end_date)))
    about += [said["first"].format(len(of.rows), of.groups) if of.groups else "", lacking]
    chart = of.chart or _chart(of)
    total = (*(None for _ in of.group_by), *figures(of.total))
    said_of_it = " · ".join(filter(None, about))
    keys = len(of.group_by)
    instead = said["denied"] if of.denied else said["failed"] if of.failed else ""
    return Section(title, said_of_it, chart, columns, keys, rows, total, overlaid, instead, further, lacking)


def _when(of: pb.Report.Tile, said: Mapping[str, str]) -> list[str]:
    """What it is about: a period, what there was on a day, or both."""
    found = []
    if of.begin_date or not of.as_of_date:
        days = _span(of.begin_date, of.end_date)
        if "T" in of.period:  # one hour of that day
            days = of.period
        found.append(f"{said['period']} {days or (of.period if of.period != 'all' else '') or said['now']}")
    return [*found, *([said["standing"].format(of.as_of_date)] if of.as_of_date else [])]


def _span(first: str, last: str) -> str:
    return f"{first} – {last}" if first != last else first


def _lacking(of: pb.Report.Tile, said: Mapping[str, str]) -> str:
    """What is in no figure: amounts by currency, of measures that count the same, once; and what is of groups that have
    none."""
    each = [
        said["times"].format(
            one.amount.currency_code,
            written(one.amount.units + one.amount.nanos / 1e9, Kind.MONEY),
            written(float(one.count), Kind.COUNT),
        )
        for one in of.unrated
    ]
    unweighed = of.total.figure.left_out
    parts = [said["unrated"].format(said["comma"].join(dict.fromkeys(each))) if each else ""]
    parts.append(said["unweighed"].format(written(unweighed, Kind.NUMBER)) if unweighed else "")
    return " · ".join(filter(None, parts))


def _chart(of: pb.Report.Tile) -> int:
    """Of a KPI by itself: what shows its groups best."""
    if not of.group_by:
        return board.NUMBER
    return board.LINE if any(name in periods.GRAINS for name in of.group_by) else board.BAR


def _day_or_text(name: str) -> Kind:
    return Kind.DAY if name in periods.GRAINS else Kind.TEXT


def _column(title: str, unit: int, said: Mapping[str, str], currency: str) -> Column:
    names = {kpi.IN_SECONDS: said["seconds"], kpi.IN_HOURS: said["hours"], kpi.IN_DAYS: said["days"]}
    names[kpi.MONEY] = currency
    titled = f"{title} ({names[unit]})" if unit in names else title
    names[kpi.RATIO] = said["ratio"]
    return Column(titled, _KINDS.get(unit, Kind.NUMBER), names.get(unit, ""))


def _key(name: str, key: str, label: str, said: Mapping[str, str], chinese: bool) -> Cell:
    if not key:
        return said["none"]
    if name == "hour":
        return datetime.fromisoformat(key)
    if name in periods.GRAINS:
        return date.fromisoformat(key)
    return plain(label if label != key else codes.called(name, key, chinese))


def _value(of: Any) -> float | None:
    return of.value if of.HasField("value") else None
