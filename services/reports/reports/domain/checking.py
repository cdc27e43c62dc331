"""What is wrong with a KPI or a board before it is saved, each with the way out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

from chassis.expressions import ExpressionError
from chassis.fields import FieldCheck
from reports.domain import board as boards
from reports.domain import formula, kpi, unit
from reports.domain.board import Board, Tile
from reports.domain.facts import FACTS, vocabulary
from reports.domain.kpi import Kpi, Measure
from reports.domain.periods import GRAINS
from reports.domain.posting import DIMENSIONS
from reports.domain.view import DERIVED

MOST_MEASURES, MOST_VALUES, MOST_TILES, MOST_DAYS, MOST_GROUPS_SHOWN, MOST_MORE = 8, 50, 40, 3660, 1000, 6
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)
_MEASURE = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)
# CEL's own words: a measure of that name could not be written in a formula.
_WORDS = frozenset(
    {
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "null",
    }
    | {"namespace", "package", "return", "true", "var", "void", "while", "int", "uint", "double", "bool", "string"}
    | {"bytes", "list", "map", "type", "size", "has", "all", "exists", "filter"}
)


def id_fits(id: str) -> bool:
    return _ID.fullmatch(id) is not None


def dimensions_of(measures: Collection[Measure]) -> tuple[str, ...]:
    """Those by which all their facts can be grouped."""
    facts = [FACTS[one.fact] for one in measures if one.fact in FACTS]
    return tuple(name for name in DIMENSIONS if facts and all(name in fact.fields for fact in facts))


def check_kpi(of: Kpi, check: FieldCheck) -> None:
    """Notes whatever is wrong."""
    if not of.display_name and not of.display_name_zh:
        check.refuse("kpi.display_name", "is required, in one language at least", "必填（至少一种语言）")
    if of.unit not in unit.UNITS:
        units = ", ".join(unit.UNITS.values())
        check.refuse("kpi.unit", f"must be one of {units}", f"须为 {units} 之一")
    if not 1 <= len(of.measures) <= MOST_MEASURES:
        check.refuse("kpi.measures", f"must be 1 to {MOST_MEASURES}", f"须为 1 至 {MOST_MEASURES} 项")
        return
    if of.total == kpi.BY_SHARE and len(of.measures) < 2:
        check.refuse(
            "kpi.measures",
            "must be two at least: of a SHARE the last one weighs the figures that the others make",
            "至少两项：SHARE 的最后一项为权重，其余各项构成数值",
        )
    for place, measure in enumerate(of.measures):
        _check_measure(measure, f"kpi.measures[{place}]", check)
    ids = [one.id for one in of.measures]
    if len(set(ids)) < len(ids):
        check.refuse("kpi.measures", "have the same id twice", "有重复的 id")
    if all(one.fact in FACTS for one in of.measures):
        _check_dimensions(of, check)
    if not any(field.startswith("kpi.measures") for field, _, _ in check.violations):
        try:
            formula.check(of.formula, ids, ids[-1:] if of.total == kpi.BY_SHARE else ())
        except ExpressionError as problem:
            known = ", ".join(ids)
            check.refuse("kpi.formula", f"{problem.english}; it is made of {known}", f"{problem.chinese}；可用 {known}")
        else:
            _check_unit(of, check)


def _check_unit(of: Kpi, check: FieldCheck) -> None:
    """That the figure is of what its unit says."""
    shares = (kpi.RATIO, kpi.NUMBER)
    fits = shares if of.total == kpi.BY_EVENNESS else unit.fitting(of.formula, of.measures)
    if of.unit in unit.UNITS and of.unit not in fits:
        names = [unit.UNITS[one] for one in fits]
        check.refuse(
            "kpi.unit",
            f"what the formula comes to is no {unit.UNITS[of.unit]}: take {' or '.join(names)}",
            f"公式结果的单位不是 {unit.UNITS[of.unit]}：请用 {' 或 '.join(names)}",
        )


def _check_dimensions(of: Kpi, check: FieldCheck) -> None:
    can = dimensions_of(of.measures)
    known = ", ".join(can)
    for place, name in enumerate(of.dimensions):
        if name not in can:
            check.refuse(
                f"kpi.dimensions[{place}]",
                f"{name[:40]}: {_without(name, of)}all its facts have {known}",
                f"{name[:40]}：其全部事实共有的维度为 {known}",
            )
    if len(set(of.dimensions)) < len(of.dimensions):
        check.refuse("kpi.dimensions", "name one twice", "有重复的维度")
    if of.total != kpi.BY_FORMULA and not of.dimensions:
        check.refuse(
            "kpi.dimensions",
            "must be one at least: the total is made of the first one's groups; or take FORMULA",
            "至少一个：合计由第一个维度的各组得出；否则请用 FORMULA",
        )


def _without(name: str, of: Kpi) -> str:
    """Which of its facts have no such dimension, where it is one."""
    lacking = sorted({one.fact for one in of.measures if name not in FACTS[one.fact].fields})
    return f"{', '.join(lacking)} has none; " if name in DIMENSIONS else ""


def _check_measure(of: Measure, path: str, check: FieldCheck) -> None:
    if not _MEASURE.fullmatch(of.id) or of.id in _WORDS:
        check.refuse(
            f"{path}.id",
            "must begin with a-z and have at most 31 of a-z, 0-9 and _, and be no word of formulas",
            "须以小写字母开头，最多 31 个小写字母、数字或下划线，且不能是公式的保留字",
        )
    fact = FACTS.get(of.fact)
    if fact is None:
        near = ", ".join(difflib.get_close_matches(of.fact, FACTS, 3)) or ", ".join(list(FACTS)[:3])
        check.refuse(
            f"{path}.fact",
            f"{of.fact[:40]!r} is none; GET /v1/facts lists them ({near}, ...)",
            f"没有事实 {of.fact[:40]!r}；GET /v1/facts 可列出全部（{near} 等）",
        )
        return
    needed = {kpi.AMOUNT: "amount", kpi.SECONDS: "seconds"}.get(of.value, "")
    if of.value not in (kpi.COUNT, kpi.AMOUNT, kpi.SECONDS):
        check.refuse(f"{path}.value", "must be COUNT, AMOUNT or SECONDS", "须为 COUNT、AMOUNT 或 SECONDS")
    elif needed and needed not in fact.fields:
        check.refuse(f"{path}.value", f"{fact.id} has no {needed}: take COUNT", f"{fact.id} 没有该值：请用 COUNT")
    _check_where(of, path, fact.fields, check)
    if of.span not in (kpi.PERIOD, kpi.STOCK, kpi.OLDER, kpi.LAST):
        spans = "PERIOD, STOCK, OLDER, LAST"
        check.refuse(f"{path}.span", f"must be one of {spans}", f"须为 {spans} 之一")
    elif of.span in (kpi.STOCK, kpi.OLDER) and not fact.stock:
        check.refuse(
            f"{path}.span",
            f"{fact.id} is no stock: take PERIOD or LAST",
            f"{fact.id} 不是存量：请用 PERIOD 或 LAST",
        )
    if of.span in (kpi.OLDER, kpi.LAST):
        least = 1 if of.span == kpi.LAST else 0
        if not least <= of.days <= MOST_DAYS:
            check.refuse(f"{path}.days", f"must be {least} to {MOST_DAYS}", f"须为 {least} 至 {MOST_DAYS}")
    elif of.days:
        check.refuse(f"{path}.days", "goes with the spans OLDER and LAST alone", "仅用于 OLDER 和 LAST")


def _check_where(of: Measure, path: str, fields: Collection[str], check: FieldCheck) -> None:
    can = [name for name in DIMENSIONS if name in fields]
    names = [name for name, _ in of.where]
    for place, (name, values) in enumerate(of.where):
        if name not in can:
            known = ", ".join(can)
            check.refuse(f"{path}.where[{place}].dimension", f"there are {known}", f"可用 {known}")
        if names.count(name) > 1:
            check.refuse(
                f"{path}.where[{place}].dimension",
                "is there twice: give all values at once",
                "重复：请一次给出全部取值",
            )
        if not 1 <= len(values) <= MOST_VALUES or any(len(value) > 200 for value in values):
            check.refuse(
                f"{path}.where[{place}].values",
                f"must be 1 to {MOST_VALUES}, of at most 200 characters",
                f"须为 1 至 {MOST_VALUES} 个，每个最多 200 字符",
            )
            continue
        for english, chinese in vocabulary.none_of([of.fact], name, values):
            check.refuse(f"{path}.where[{place}].values", english, chinese)


def check_board(of: Board, check: FieldCheck) -> None:
    """Notes whatever is wrong of it by itself; which KPIs there are is not known here."""
    if not of.display_name and not of.display_name_zh:
        check.refuse("board.display_name", "is required, in one language at least", "必填（至少一种语言）")
    if not 1 <= len(of.tiles) <= MOST_TILES:
        check.refuse("board.tiles", f"must be 1 to {MOST_TILES}", f"须为 1 至 {MOST_TILES} 个")
    for place, tile in enumerate(of.tiles):
        path = f"board.tiles[{place}]"
        if tile.chart not in range(boards.NUMBER, boards.GAUGE + 1):
            charts = ", ".join(boards.CHARTS)
            check.refuse(f"{path}.chart", f"must be one of {charts}", f"须为 {charts} 之一")
        if not 1 <= tile.width <= boards.COLUMNS:
            check.refuse(f"{path}.width", f"must be 1 to {boards.COLUMNS}", f"须为 1 至 {boards.COLUMNS}")
        if not 1 <= tile.height <= 24:
            check.refuse(f"{path}.height", "must be 1 to 24", "须为 1 至 24")
        if not 0 <= tile.limit <= MOST_GROUPS_SHOWN:
            check.refuse(f"{path}.limit", f"must be 0 to {MOST_GROUPS_SHOWN}", f"须为 0 至 {MOST_GROUPS_SHOWN}")
        if tile.chart == boards.GAUGE and len(tile.group_by) > 1:
            check.refuse(f"{path}.group_by", "a GAUGE has one group at most", "GAUGE 最多按一项分组")
        _check_more(tile, f"{path}.more_kpis", check)


def _check_more(of: Tile, path: str, check: FieldCheck) -> None:
    if len(of.more_kpis) > MOST_MORE:
        check.refuse(path, f"are {MOST_MORE} at most", f"最多 {MOST_MORE} 个")
    fits = of.chart in boards.WIDE and (of.chart != boards.HEAT_MAP or len(of.group_by) == 1)
    if of.more_kpis and not fits:
        check.refuse(
            path,
            "go with a TABLE, a RANKING, or a HEAT_MAP of one group",
            "仅用于 TABLE、RANKING，或按一项分组的 HEAT_MAP",
        )


def check_values(field: str, where: Mapping[str, Sequence[str]], of: Sequence[Kpi], check: FieldCheck) -> None:
    """Refuses what none of these KPIs can count anything of."""
    facts = [FACTS[measure.fact] for one in of for measure in one.measures]
    for name, values in where.items():
        for english, chinese in vocabulary.none_of([one.id for one in facts if name in one.fields], name, values):
            check.refuse(field, english, chinese)


def grains(of: Kpi) -> tuple[str, ...]:
    """The spans of time by which a KPI's figures can be grouped."""
    return GRAINS if kpi.has_times(of) else ()


def can_group(of: Kpi) -> tuple[str, ...]:
    """The dimensions by which a KPI's figures can be grouped and filtered, the derived ones too."""
    can = dimensions_of(of.measures)
    return (*can, *(name for name, source in DERIVED.items() if source in can))
