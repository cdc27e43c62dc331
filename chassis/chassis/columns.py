"""The columns that lists filter and sort by: how their values are written, stored and compared."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Literal

import sqlalchemy as sa
from google.protobuf.descriptor import EnumDescriptor
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from chassis.fields import FieldProblem

LARGEST = 2**63 - 1

Kind = Literal["text", "int", "bool", "time", "enum", "name", "labels", "decimal"]


@dataclass(frozen=True, eq=False)
class Column:
    """A field that callers may filter on, and with `order` sort by.

    `kind` is how its values are written. An enum column holds numbers when its SQL type is an integer, else names
    of values. "name" is for resource names and other ids: compared as the database sorts them, so that an index
    helps; "text" goes by code point on every database; "labels" is a JSON list of texts, asked with `:` whether it has
    one; "decimal" is a number with at most four decimals, stored in ten-thousandths. `nullable` is taken from the table
    where it is not given:
    give it for a column of an outer join. `normalise` turns what `=` and `!=` compare with into the stored
    spelling (`fields.phone`) and may raise FieldProblem. `lookup` answers `=` and `!=` instead of the column, given the
    stored spelling: for what is known under more than one value.
    """

    column: sa.ColumnElement[Any]
    kind: Kind
    enum: EnumDescriptor | None = None
    order: bool = False
    nullable: bool | None = None
    normalise: Callable[[str], str] | None = None
    lookup: Callable[[str], sa.ColumnElement[bool]] | None = None

    def __post_init__(self) -> None:
        if (self.kind == "enum") != (self.enum is not None):
            raise ValueError("an enum column, and no other, has the descriptor of its enum")

    @property
    def may_be_null(self) -> bool:
        if self.nullable is not None:
            return self.nullable
        return self.column.nullable is not False if isinstance(self.column, sa.Column) else True

    @property
    def sorted(self) -> sa.ColumnElement[Any]:
        """What is compared and sorted: text by code point, whatever the database's language."""
        return by_code_point(self.column) if self.kind == "text" else self.column

    @property
    def holds_numbers(self) -> bool:
        return self.kind in ("int", "decimal") or (self.kind == "enum" and isinstance(self.column.type, sa.Integer))

    def literal(self, value: Any) -> sa.ColumnElement[Any]:
        """A parameter to compare the column with. Numbers are 64 bits wide: PostgreSQL fails on those that a narrower
        column cannot hold."""
        return sa.literal(value, sa.BigInteger() if self.holds_numbers else self.column.type)


class by_code_point(FunctionElement[str]):
    """Text that sorts and folds case the same on PostgreSQL as on SQLite, which knows one order and ASCII."""

    inherit_cache = True
    type = sa.Text()
    name = "by_code_point"


@compiles(by_code_point)
def _plain(element: by_code_point, compiler: Any, **more: Any) -> str:
    return f"({compiler.process(element.clauses, **more)})"


@compiles(by_code_point, "postgresql")
def _collated(element: by_code_point, compiler: Any, **more: Any) -> str:
    return f'(({compiler.process(element.clauses, **more)}) COLLATE "C")'


class has_label(FunctionElement[bool]):
    """Whether a JSON list of texts (the first argument) has a text (the second)."""

    inherit_cache = True
    type = sa.Boolean()
    name = "has_label"


@compiles(has_label)
def _listed(element: has_label, compiler: Any, **more: Any) -> str:
    labels, one = (compiler.process(clause, **more) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({labels}) AS label WHERE label.value = {one})"


@compiles(has_label, "postgresql")
def _contained(element: has_label, compiler: Any, **more: Any) -> str:
    labels, one = (compiler.process(clause, **more) for clause in element.clauses)
    return f"jsonb_exists({labels}, {one})"


@lru_cache(maxsize=4096)
def camel(name: str) -> str:
    """The JSON spelling of a field's name: "capture_time" is "captureTime"."""
    return re.sub(r"_+([a-z0-9])", lambda m: m[1].upper(), name)


def spellings(columns: Mapping[str, Column], hidden: frozenset[str]) -> dict[str, str]:
    """From every spelling that a caller may use to the key in `columns`, without the hidden fields."""
    shown = [name for name in columns if name.split(".", 1)[0] not in hidden and name not in hidden]
    return {**{camel(name): name for name in shown}, **{name: name for name in shown}}


_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    ":": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _absent(column: Column) -> tuple[Any, ...]:
    """The stored values, besides NULL, that mean there is none."""
    if column.enum is not None:
        return (0,) if column.holds_numbers else ("", column.enum.values_by_number[0].name)
    if column.kind == "labels":
        return ([],)
    return ("",) if column.kind in ("text", "name") else ()


def present(column: Column) -> sa.ColumnElement[bool]:
    """Whether there is a value."""
    absent = [column.column != column.literal(value) for value in _absent(column)]
    return sa.and_(column.column.is_not(None), *absent)


def compared(column: Column, sign: str, value: str) -> sa.ColumnElement[bool]:
    """The column compared with a value as the caller wrote it; never NULL. Raises FieldProblem."""
    left = column.column
    if column.kind in ("enum", "bool") and sign[0] in "<>":
        raise FieldProblem("can only be compared with = and !=", "只能用 = 和 != 比较")
    if column.kind == "labels" and sign != ":":
        raise FieldProblem("can only be asked with : and one value", "只能用 : 加一个值查询")
    stored = _read(column, value, normal=sign in ("=", "!="))
    if column.lookup is not None and sign in ("=", "!="):
        return sa.not_(column.lookup(stored)) if sign == "!=" else column.lookup(stored)
    if column.kind in ("text", "name") and sign == ":":
        found = sa.func.lower(by_code_point(left)).contains(stored.translate(_LOWER), autoescape=True)
    elif column.kind == "labels":
        found = has_label(left, sa.literal(stored, sa.Text()))
    elif column.enum is not None and stored in _absent(column):
        found = left.in_([column.literal(one) for one in _absent(column)])
        found = sa.not_(found) if sign == "!=" else found
    else:
        found = _COMPARE[sign](left if sign in ("=", "!=") else column.sorted, column.literal(stored))
    if not column.may_be_null:
        return found
    # Never NULL, so that NOT of it is its opposite.
    return sa.or_(left.is_(None), found) if sign == "!=" else sa.and_(left.is_not(None), found)


def _read(column: Column, value: str, normal: bool) -> Any:
    """The value as the column stores it, in its normal spelling where `normal`. Raises FieldProblem."""
    if column.enum is not None:
        choice = column.enum.values_by_name.get(value)
        if choice is None:
            names = ", ".join(v.name for v in column.enum.values)
            raise FieldProblem(f"is one of: {names}", f"可用的值：{names}")
        return choice.number if column.holds_numbers else choice.name
    if column.kind == "bool":
        if value not in ("true", "false"):
            raise FieldProblem("is true or false", "的值应为 true 或 false")
        return value == "true"
    if column.kind == "int":
        number = int(value) if re.fullmatch(r"[+-]?[0-9]{1,19}", value) else LARGEST + 1
        if not -LARGEST - 1 <= number <= LARGEST:
            raise FieldProblem("is a whole number of at most 64 bits", "应为 64 位以内的整数")
        return number
    if column.kind == "decimal":
        exact = re.fullmatch(r"([+-]?)([0-9]{1,14})(?:\.([0-9]{1,4}))?", value, re.ASCII)
        if exact is None:
            raise FieldProblem("is a number with at most four decimals", "应为最多四位小数的数字")
        units = int(exact[2] + (exact[3] or "").ljust(4, "0"))
        return -units if exact[1] == "-" else units
    if column.kind == "time":
        moment = read_moment(value)
        if moment is None:
            raise FieldProblem(
                "is a moment with its offset, such as 2026-10-01T08:30:00+08:00, at most to the microsecond",
                "应为带时区的时间，例如 2026-10-01T08:30:00+08:00，最多精确到微秒",
            )
        return moment
    text = unicodedata.normalize("NFC", value)
    return column.normalise(text) if normal and column.normalise is not None else text


_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]([01]\d|2[0-3]):\d\d:\d\d(?:\.(\d{1,6})0*)?(?:[Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


def read_moment(value: str) -> datetime | None:
    """The moment of an RFC 3339 timestamp in UTC; None for what is none, or finer than a microsecond."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
