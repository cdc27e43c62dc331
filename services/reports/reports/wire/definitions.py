"""KPIs and boards as callers write them, and boards as they are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chassis import fields, records
from chassis.errors import Invalid
from chassis.fields import FieldCheck
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import board, kpi
from reports.domain.board import Board, Tile
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi, Measure

T = TypeVar("T")
_TITLES = ("display_name", "display_name_zh")
KPI_FIELDS = (
    *(*_TITLES, "description", "description_zh", "unit", "measures", "formula", "dimensions", "total"),
    "lower_is_better",
)
BOARD_FIELDS = (*_TITLES, "tiles", "period", "roles", "owner")
_LONGEST = {"display_name": 128, "display_name_zh": 128, "description": 1000, "description_zh": 1000, "formula": 2000}
_ROLE = re.compile(r"roles/[a-z0-9-]{1,63}", re.ASCII)
_PERSON = re.compile(r"people/[0-9a-zA-Z-]{1,64}", re.ASCII)
_PAGE = 1000


def kpi_values(message: pb.Kpi, paths: Sequence[str]) -> dict[str, Any]:
    """The fields of `paths`, as the domain has them. Raises Invalid."""
    check = FieldCheck()
    found: dict[str, Any] = {}
    for name in paths:
        if name in _LONGEST:
            found[name] = check.take(f"kpi.{name}", fields.text, getattr(message, name), _LONGEST[name], True)
        elif name == "measures":
            found[name] = tuple(map(_measure, message.measures))
        elif name == "dimensions":
            found[name] = tuple(message.dimensions)
        elif name == "total":
            found[name] = message.total or kpi.BY_FORMULA
            if found[name] not in range(kpi.BY_FORMULA, kpi.BY_SHARE + 1):
                check.refuse(
                    "kpi.total",
                    "must be FORMULA, SUM, EVENNESS, COUNTED or SHARE",
                    "须为 FORMULA、SUM、EVENNESS、COUNTED 或 SHARE",
                )
        else:
            found[name] = getattr(message, name)
    _raise(check)
    return found


def new_kpi(id: str, message: pb.Kpi) -> Kpi:
    """Raises Invalid."""
    return Kpi(name=f"kpis/{id}", **kpi_values(message, KPI_FIELDS))


def board_values(message: pb.Board, paths: Sequence[str]) -> dict[str, Any]:
    """The fields of `paths`, as the domain has them. Raises Invalid."""
    check = FieldCheck()
    found: dict[str, Any] = {}
    for name in paths:
        value = getattr(message, name)
        if name in _LONGEST:
            found[name] = check.take(f"board.{name}", fields.text, value, _LONGEST[name])
        elif name == "tiles":
            found[name] = tuple(_tile(one, f"board.tiles[{place}]", check) for place, one in enumerate(value))
        elif name == "roles":
            found[name] = tuple(dict.fromkeys(value))
            if len(value) > 100 or not all(map(_ROLE.fullmatch, value)):
                check.refuse("board.roles", "must be names of roles: roles/sales", "须为角色名：roles/sales")
        elif name == "owner":
            found[name] = value
            if value and not _PERSON.fullmatch(value):
                check.refuse("board.owner", 'must be "people/..."', "须为 “people/…”")
        else:
            found[name] = value or "this_month"
    _raise(check)
    return found


def new_board(id: str, message: pb.Board) -> Board:
    """Raises Invalid."""
    return Board(name=f"boards/{id}", **board_values(message, BOARD_FIELDS))


def given(message: Any, changeable: Sequence[str]) -> list[str]:
    """The fields that a caller says something of."""
    return [field.name for field, _ in message.ListFields() if field.name in changeable]


def paths(request: Any, field: str, changeable: Sequence[str]) -> list[str]:
    """The fields that an update changes. Raises Invalid."""
    return records.paths(request.update_mask.paths, getattr(request, field), changeable)


def shown_board(of: Board) -> pb.Board:
    found = pb.Board(
        name=of.name,
        display_name=of.display_name,
        display_name_zh=of.display_name_zh,
        period=of.period,
        roles=of.roles,
        owner=of.owner,
        etag=str(of.revision),
        tiles=[pb.Board.Tile(**{name: getattr(tile, name) for name in tile.__dataclass_fields__}) for tile in of.tiles],
    )
    for name in ("create_time", "update_time", "delete_time"):
        moment = getattr(of, name)
        if moment is not None:
            getattr(found, name).FromDatetime(moment)
    return found


def page(request: Any, every: Sequence[T], key: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """A page of what is few, in the order of `key`, and the next page's token: the last key. Raises Invalid."""
    check = FieldCheck()
    if request.page_size < 0:
        check.refuse("page_size", "must not be negative", "不能为负数")
    begin = 0
    if request.page_token:
        begin = next((at for at, one in enumerate(every, 1) if key(one) == request.page_token), 0)
        if not begin:
            check.refuse("page_token", "is no token of this list", "不是有效的翻页标记")
    _raise(check)
    end = begin + min(request.page_size or 100, _PAGE)
    return every[begin:end], key(every[end - 1]) if end < len(every) else ""


def check_request_id(request: Any) -> None:
    """Raises Invalid for one that is too long."""
    check = FieldCheck()
    check.take("request_id", fields.text, request.request_id, 128)
    _raise(check)


def _measure(message: pb.Kpi.Measure) -> Measure:
    fact = FACTS.get(message.fact)
    pairs = sorted((one.dimension, tuple(dict.fromkeys(one.values))) for one in message.where)
    return Measure(
        message.id,
        message.fact,
        message.value or kpi.COUNT,
        tuple(pairs),
        message.span or (kpi.STOCK if fact is not None and fact.stock else kpi.PERIOD),
        message.days,
    )


def _tile(message: pb.Board.Tile, path: str, check: FieldCheck) -> Tile:
    title = check.take(f"{path}.title", fields.text, message.title, 128)
    title_zh = check.take(f"{path}.title_zh", fields.text, message.title_zh, 128)
    return Tile(
        message.kpi,
        title or "",
        message.chart or (board.BAR if message.group_by else board.NUMBER),
        message.period,
        tuple(message.group_by),
        message.filter,
        message.width or 3,
        message.height or 1,
        message.limit,
        message.overlay_kpi,
        tuple(message.more_kpis),
        title_zh or "",
        message.compared,
    )


def _raise(check: FieldCheck) -> None:
    if check.violations:
        raise Invalid(check.violations)
