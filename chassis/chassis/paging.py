"""Lists by the page: filtered, sorted, and each row exactly once however the rows around it change.

A page goes on after the last row of the one before (keyset), never after a number of rows. Its token carries that
row's place in the order, and a digest that binds it to the request: a token that was tampered with, or that comes
with another filter, order or parent, is refused. The digest has no key: a token says nothing and allows nothing
that a filter would not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.columns import LARGEST, Kind, spellings
from chassis.columns import Column as Column
from chassis.database import to_micros
from chassis.errors import Invalid
from chassis.filters import criteria as criteria
from chassis.transaction import Transaction

LONGEST_ORDER = 500
LONGEST_TOKEN = 16_000
_DIGEST = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Page(NamedTuple):
    """`rows` are those of the select, in order; `next_page_token` is "" on the last page; `total` counts what the
    filter finds on all pages, None where that is not known."""

    rows: list[sa.Row[Any]]
    next_page_token: str
    total: int | None


@dataclass(frozen=True, eq=False)
class _Term:
    """One column of the order."""

    name: str
    column: Column
    descending: bool

    def clause(self) -> sa.ColumnElement[Any]:
        sorted_by = self.column.sorted
        clause = sorted_by.desc() if self.descending else sorted_by.asc()
        # Rows without a value come last in either direction: left alone, the two databases disagree.
        return clause.nulls_last() if self.column.may_be_null else clause

    def after(self, value: Any, or_equal: bool = False) -> sa.ColumnElement[bool]:
        """Rows that come after `value` by this column."""
        if value is None:
            return self.equal(value) if or_equal else sa.false()
        left, right = self.column.sorted, self.column.literal(value)
        if self.descending:
            found = left <= right if or_equal else left < right
        else:
            found = left >= right if or_equal else left > right
        return sa.or_(found, self.column.column.is_(None)) if self.column.may_be_null else found

    def equal(self, value: Any) -> sa.ColumnElement[bool]:
        return self.column.column.is_(None) if value is None else self.column.sorted == self.column.literal(value)


def listing(
    tx: Transaction,
    select: sa.Select[Any],
    columns: Mapping[str, Column],
    request: Any,
    default_order: str,
    key: sa.ColumnElement[Any],
    hidden: frozenset[str] = frozenset(),
    most: int = 1000,
    default_size: int = 50,
    count: bool | Callable[[], bool] = False,
    within: sa.ColumnElement[bool] | None = None,
    narrowed: bool = False,
    bound: str = "",
) -> Page:
    """One page of `select` as the request wants it: page_size, page_token and, where it has them, filter, order_by.

    `key` is a unique column that is never NULL; it decides between rows that are equal in the order. `default_order`
    ("capture_time desc") takes any of `columns`, except that hidden ones are left out. The select has no ORDER BY,
    LIMIT, DISTINCT or GROUP BY (wrap those in a subquery). Where it lacks the key or a column of the order, rows end
    with these as further values. What fits on one page is counted; what does not, if `count`. `within` says which rows
    the caller may see: where that is one thing or another, the page is sought for each by itself, so that each has its
    index. `narrowed`: the request's filter is of another kind, and the select is narrowed by it already. `bound`: what
    a token is bound to besides the request. Raises Invalid on "filter", "orderBy", "pageSize" or "pageToken".
    """
    size = _size(request.page_size, most, default_size)
    wanted = None if narrowed else criteria(getattr(request, "filter", ""), columns, hidden)
    terms = _order(getattr(request, "order_by", ""), default_order, columns, key, hidden)
    seal = _seal(request, terms, bound)
    if wanted is not None:
        select = select.where(wanted)
    page = select
    if request.page_token:
        page = page.where(_after(terms, _read_token(request.page_token, seal, terms)))
    if within is not None:
        page = page.where(_nearest(page, within, key, [t.clause() for t in terms], size + 1))
        select = select.where(within)
    present = list(select.selected_columns)
    sought: list[sa.ColumnElement[Any]] = []
    for place, term in enumerate(terms):
        found = any(one is term.column.column for one in present)
        sought.append(term.column.column if found else term.column.column.label(f"order_{place}"))
        if not found:
            page = page.add_columns(sought[-1])
    rows = list(tx.execute(page.order_by(*(t.clause() for t in terms)).limit(size + 1)).all())
    total: int | None = None
    if not request.page_token and len(rows) <= size:
        total = len(rows)
    elif count() if callable(count) else count:
        total = tx.execute(select.with_only_columns(sa.func.count(), maintain_column_froms=True)).scalar_one()
    if len(rows) <= size:
        return Page(rows, "", total)
    last = rows[size - 1]._mapping
    return Page(rows[:size], _write_token(seal, [last[one] for one in sought]), total)


def _nearest(
    page: sa.Select[Any],
    within: sa.ColumnElement[bool],
    key: sa.ColumnElement[Any],
    order: list[sa.ColumnElement[Any]],
    most: int,
) -> sa.ColumnElement[bool]:
    """Rows that are among the first of those for which one of the alternatives holds. An OR across columns has no
    index: the database walks through everybody's rows in their order until it has found enough of the caller's."""
    ways = _alternatives(within)
    if len(ways) == 1:
        return within
    keys = page.with_only_columns(key, maintain_column_froms=True).order_by(*order).limit(most)
    found = [keys.where(way).subquery() for way in ways]
    return key.in_(sa.union_all(*(sa.select(*one.c) for one in found)))


def _alternatives(within: sa.ColumnElement[bool]) -> list[sa.ColumnElement[bool]]:
    if isinstance(within, sa.BooleanClauseList) and within.operator is operator.or_:
        return [way for clause in within.clauses for way in _alternatives(clause)]
    return [within]


def _size(wanted: int, most: int, default_size: int) -> int:
    if wanted < 0:
        raise Invalid([("pageSize", "must not be negative; 0 means the default", "不能为负数，0 表示默认值")])
    return min(wanted or default_size, most)


# --- the order ---


def _order(
    order_by: str, default: str, columns: Mapping[str, Column], key: sa.ColumnElement[Any], hidden: frozenset[str]
) -> list[_Term]:
    """The columns to sort by, the key last and in the direction of the one before, so that an index serves both."""
    wanted = order_by.strip()
    # A default order on a hidden field would tell its values, by the rows' order and in the token.
    names = spellings(columns, hidden)
    terms: list[_Term] = []
    if len(wanted) > LONGEST_ORDER:
        raise Invalid([("orderBy", f"at most {LONGEST_ORDER} characters", f"不能超过 {LONGEST_ORDER} 个字符")])
    for part in (wanted or default).split(",") if wanted or default else ():
        words = re.fullmatch(r"\s*([A-Za-z0-9_.]+)(?:\s+(asc|desc))?\s*", part)
        name = names.get(words[1]) if words else None
        if not wanted and name is None and words and words[1] in columns:
            continue
        if words is None or name is None or (wanted and not columns[name].order):
            shown = part.strip()[:60]
            known = ", ".join(name for name in dict.fromkeys(names.values()) if columns[name].order)
            raise Invalid(
                [
                    (
                        "orderBy",
                        f"one cannot sort by {shown!r}; there are: {known}, each with desc or without",
                        f"不能按 “{shown}” 排序，可用：{known}，之后可加 desc",
                    )
                ]
            )
        if any(term.name == name for term in terms):
            raise Invalid([("orderBy", f"{name} is there twice", f"{name} 重复出现")])
        terms.append(_Term(name, columns[name], words[2] == "desc"))
        if columns[name].column is key:
            # There are no two rows with one key: nothing that follows decides.
            return terms
    kind: Kind = "int" if isinstance(key.type, sa.Integer) else "name"
    terms.append(_Term("", Column(key, kind, nullable=False), bool(terms) and terms[-1].descending))
    return terms


def _after(terms: list[_Term], values: list[Any]) -> sa.ColumnElement[bool]:
    """Rows that come after the one with these values."""
    plain = all(not t.column.may_be_null and t.descending == terms[0].descending for t in terms)
    if plain and len(terms) > 1:
        left = sa.tuple_(*(t.column.sorted for t in terms))
        right = sa.tuple_(*(t.column.literal(value) for t, value in zip(terms, values, strict=True)))
        return left < right if terms[0].descending else left > right
    found = terms[-1].after(values[-1])
    for term, value in zip(terms[-2::-1], values[-2::-1], strict=True):
        # The same as "after, or equal and `found`", in the form that lets an index on the first column begin there.
        found = sa.and_(term.after(value, or_equal=True), sa.or_(term.after(value), found))
    return found


# --- tokens ---


def _seal(request: Any, terms: list[_Term], bound: str = "") -> bytes:
    """What a token is bound to: the order, and all of the request but the page."""
    order = ",".join(f"{t.name} {t.descending:d} {t.column.kind}" for t in terms)
    if isinstance(request, Message):
        same = type(request)()
        same.CopyFrom(request)
        for name in ("page_size", "page_token"):
            same.ClearField(name)
        rest = same.DESCRIPTOR.full_name.encode() + b"\0" + same.SerializeToString(deterministic=True)
    else:
        rest = json.dumps([getattr(request, "filter", ""), getattr(request, "order_by", "")]).encode()
    return hashlib.sha256(b"\0".join((order.encode(), bound.encode(), rest))).digest()


def _write_token(seal: bytes, values: list[Any]) -> str:
    plain = [to_micros(value) if isinstance(value, datetime) else value for value in values]
    content = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    digest = hashlib.sha256(seal + content).digest()[:_DIGEST]
    return base64.urlsafe_b64encode(digest + content).rstrip(b"=").decode()


def _read_token(token: str, seal: bytes, terms: list[_Term]) -> list[Any]:
    problem = Invalid(
        [
            (
                "pageToken",
                "does not belong to this request; leave it out to begin with the first page",
                "与本次请求不符，请去掉后从第一页开始",
            )
        ]
    )
    if len(token) > LONGEST_TOKEN or not re.fullmatch(r"[A-Za-z0-9_-]+", token):
        raise problem
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        digest, content = raw[:_DIGEST], raw[_DIGEST:]
        known = hashlib.sha256(seal + content).digest()[:_DIGEST]
        # The last character has spare bits: only the spelling that we write counts.
        if digest != known or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
            raise problem
        values = json.loads(content)
        if not isinstance(values, list) or len(values) != len(terms):
            raise problem
        return [_read_value(term.column, value) for term, value in zip(terms, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise problem from None


def _read_value(column: Column, value: Any) -> Any:
    """A value of a token; raises ValueError for one that the column cannot hold (a digest can be made by anyone)."""
    if value is None and column.may_be_null:
        return None
    if column.kind == "time" and type(value) is int:
        return _EPOCH + timedelta(microseconds=value)
    if column.kind == "bool" and type(value) is bool:
        return value
    if column.holds_numbers and type(value) is int and -LARGEST - 1 <= value <= LARGEST:
        return value
    if column.kind in ("text", "name") and type(value) is str and "\0" not in value:
        value.encode()  # half of a surrogate pair is none
        return value
    if column.kind == "enum" and type(value) is str and not column.holds_numbers and re.fullmatch(r"\w*", value):
        return value
    raise ValueError
