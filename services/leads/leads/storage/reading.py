"""What lists and summaries select."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.transaction import Transaction
from leads.domain.attention import Case
from leads.domain.lead import CLOSED, Attention, Kind, Status
from leads.storage.tables import COLUMNS as COLUMNS
from leads.storage.tables import lead_keys, leads, touchpoints

_COUNTED = 10_000
LEADS = sa.select(*(leads.c[column] for column in COLUMNS))
# Of the rows that a list reads anyway; a literal, as the partial indexes have one.
THERE: sa.ColumnElement[bool] = leads.c.status != sa.literal_column(str(int(Status.DELETED)))
POINTS = sa.select(
    *(touchpoints.c[c] for c in ("lead", "id", "kind", "channel", "text", "actor", "owner", "reason")),
    *(touchpoints.c[c] for c in ("happen_time", "receive_time", "latitude", "longitude", "brought", "source")),
    touchpoints.c.decision,
)


def known_under(kind: str, value: str) -> sa.ColumnElement[bool]:
    """Leads that are known under this phone or e-mail, whichever of theirs it is; a number without an extension stands
    for those behind it too. Whom a person is to look at beside one of them has it, too, if it says so itself: it was
    deleted, and another was known by it when it came back."""
    key = f"{kind}:{value}"
    found = lead_keys.c.key == key
    if kind == "phone" and ";ext=" not in value:
        # ">" follows "=": every extension lies between.
        found = sa.or_(found, sa.and_(lead_keys.c.key > f"{key};ext=", lead_keys.c.key < f"{key};ext>"))
    known, beside = sa.select(lead_keys.c.lead).where(found), leads.alias("beside")
    looked_at = sa.select(leads.c.review_with).where(leads.c.name.in_(known))
    says_so = sa.select(beside.c.name).where(beside.c.name.in_(looked_at), beside.c[kind] == value)
    return leads.c.name.in_(sa.union_all(known, says_so))


def attention(cases: Sequence[Case]) -> sa.ColumnElement[Any]:
    """The colour rule as SQL: its cases, the first that fits."""
    return sa.case(
        *((_fits(case), _number_of(case.attention)) for case in cases),
        else_=_number_of(Attention.ATTENTION_UNSPECIFIED),
    )


def _number_of(colour: Attention) -> sa.ColumnElement[int]:
    return sa.literal_column(str(int(colour)), sa.Integer)


def _fits(case: Case) -> sa.ColumnElement[bool]:
    fits = sa.and_(leads.c.status.in_(sorted(case.statuses)), leads.c.intent.in_(sorted(case.intents)))
    return fits if case.before is None else sa.and_(fits, leads.c.last_activity_time <= case.before)


def few(tx: Transaction) -> bool:
    """Whether there are few enough leads to count them for every list."""
    beyond = sa.select(leads.c.name).order_by(leads.c.name).offset(_COUNTED).limit(1)
    return tx.execute(beyond).first() is None


def was_pooled(tx: Transaction, name: str) -> bool:
    """Whether the lead ever lay in the pool."""
    given_up = sa.select(touchpoints.c.id).where(touchpoints.c.lead == name, touchpoints.c.kind == Kind.RELEASED)
    return tx.execute(given_up.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Row:
    """One group: its values, how many leads, how many responded, their mean seconds to it, how many had a response
    that was missed or came late."""

    keys: tuple[Any, ...]
    leads: int
    responded: int
    mean_seconds: float | None
    overdue: int


def summarize(
    tx: Transaction, groups: Sequence[sa.ColumnElement[Any]], criteria: sa.ColumnElement[bool], most: int
) -> list[Row]:
    """Counts and response times by the groups, from capture to first response (L28, L30)."""
    responded = leads.c.first_response_time
    if tx.dialect == "sqlite":
        seconds = sa.type_coerce(responded, sa.BigInteger) - sa.type_coerce(leads.c.capture_time, sa.BigInteger)
        mean = sa.func.avg(seconds) / 1_000_000.0
    else:
        mean = sa.func.avg(sa.extract("epoch", responded - leads.c.capture_time))
    named = [group.label(f"k{number}") for number, group in enumerate(groups)]
    closed = sa.case((leads.c.status.in_(sorted(CLOSED)), leads.c.status_time))
    answered = sa.func.coalesce(responded, closed, sa.literal(tx.now, leads.c.respond_by.type))
    # Clocks start anew with each owner; what earlier ones missed is counted on the lead.
    late = sa.or_(leads.c.missed_responses > 0, answered > leads.c.respond_by)
    query = (
        sa.select(
            *named,
            sa.func.count(),
            sa.func.count(responded),
            mean,
            sa.func.count(sa.case((late, 1))),
        )
        .select_from(leads)
        .where(criteria)
        .group_by(*(sa.literal_column(f"k{number}") for number in range(len(named))))
        .order_by(*(sa.literal_column(f"k{number}") for number in range(len(named))))
        .limit(most)
    )
    width = len(named)
    return [
        Row(tuple(row[:width]), row[width], row[width + 1], _number(row[width + 2]), row[width + 3])
        for row in tx.execute(query)
    ]


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
