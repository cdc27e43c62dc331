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
from reports.domain.exported import Cell, Column, Kind, Paper, Section
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
    "filter": ("筛选", "Filter"),
    "denied": ("您无权导出该内容。", "You may not export this."),
    "empty": ("没有数据。", "Nothing was counted."),
    "made": ("{who} 制于 {when}，数据截至 {until}", "Made by {who} at {when}, with what was learnt until {until}"),
    "left_out": ("另有 {} 项未画出", "{} more are not drawn"),
    "more": ("另有 {} 行，见表格文件", "{} more rows: see the spreadsheet"),
    "page": ("第 {} 页，共 {} 页", "Page {} of {}"),
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
    return Paper(
        plain(of.display_name_zh if tongue == "zh" else of.display_name),
        said["made"].format(who=plain(who), when=clock(made), until=until),
        tongue,
        currency,
        _told_apart([_section(tile, tongue, said, currency) for tile in of.tiles]),
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
    """What the download is called: its title, and its days where all of it is about the same."""
    days = {" ".join(dict.fromkeys(filter(None, (t.begin_date, t.end_date)))) for t in report.tiles}
    name = " ".join(filter(None, (of.title, days.pop() if len(days) == 1 else "")))
    return f"{re.sub(r'[/:*?<>|]+', '-', name.replace(chr(92), '-').replace(chr(34), '-'))[:120]}.{ending}"


def _section(of: pb.Report.Tile, tongue: str, said: Mapping[str, str], currency: str) -> Section:
    chinese = tongue == "zh"
    title = plain(of.title_zh if chinese else of.title)
    second = plain(of.overlay_title_zh if chinese else of.overlay_title)
    overlaid = bool(second)
    aimed = any(row.HasField("target") for row in (*of.rows, of.total))
    columns = [Column(said.get(name, name), _GRAINS.get(name, _day_or_text(name))) for name in of.group_by]
    columns.append(_column(title, of.unit, said, currency))
    columns += [_column(second, of.overlay_unit, said, currency)] if overlaid else []
    columns += [_column(said["target"], of.unit, said, currency), Column(said["attainment"], Kind.RATIO)] * aimed

    def figures(row: pb.Report.Row) -> tuple[Cell, ...]:
        found: list[Cell] = [_value(row.figure)]
        found += [_value(row.overlay)] * overlaid
        found += [_value(row.target), row.attainment if row.HasField("attainment") else None] * aimed
        return tuple(found)

    rows = [
        (
            *(
                _key(name, key, label, said, chinese)
                for name, key, label in zip(of.group_by, row.keys, row.labels, strict=True)
            ),
            *figures(row),
        )
        for row in of.rows
    ]
    days = f"{of.begin_date} – {of.end_date}" if of.begin_date != of.end_date else of.begin_date
    if "T" in of.period:  # one hour of that day
        days = of.period
    about = [f"{said['period']} {days or (of.period if of.period != 'all' else '') or said['now']}"]
    about += [f"{said['filter']} {plain(of.filter)}"] if of.filter else []
    chart = of.chart or _chart(of)
    total = (*(None for _ in of.group_by), *figures(of.total))
    return Section(title, " · ".join(about), chart, columns, len(of.group_by), rows, total, overlaid, of.denied)


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
