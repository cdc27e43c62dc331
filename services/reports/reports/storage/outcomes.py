"""What became of the deals that were open at a moment."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from chassis.transaction import Transaction
from reports.storage.cells import LENDERS, complete
from reports.storage.sums import Question, Reach, counted
from reports.storage.tables import postings


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of those that stood in a stage: how many, what they were to bring then, whether they are decided, and what was
    won of them; ten-thousandths of a currency."""

    pipeline: str
    stage: str
    currency: str
    decided: bool
    count: int
    amount: int
    won: int


def of_open(tx: Transaction, copy: int, asked: Question, reach: Reach) -> list[Outcome]:
    """Of the open deals that a question counts, by what was known at its moment and what is known now."""
    c = postings.c
    whole = sa.BigInteger()
    opened = (
        sa.select(c.record, c.pipeline, c.stage, c.currency, sa.cast(sa.func.sum(c.amount), whole).label("amount"))
        .where(*counted(tx, copy, asked, reach))
        .group_by(c.record, c.pipeline, c.stage, c.currency)
        .having(sa.func.sum(c.count) != 0)
        .subquery()
    )
    won = sa.case((c.fact == "deal.won", c.amount), else_=0)
    ended = sa.case((c.fact == "deal.open", 0), else_=c.count)
    now = (
        sa.select(
            c.record,
            sa.cast(sa.func.sum(won), whole).label("won"),
            sa.cast(sa.func.sum(ended), whole).label("ended"),
        )
        .where(
            c.copy == copy,
            c.fact.in_(("deal.open", "deal.won", "deal.lost")),
            c.record.in_(sa.select(opened.c.record)),
            *map(complete, LENDERS),
        )
        .group_by(c.record)
        .subquery()
    )
    decided = now.c.ended > 0
    query = (
        sa.select(
            opened.c.pipeline,
            opened.c.stage,
            opened.c.currency,
            decided,
            sa.func.count(),
            sa.cast(sa.func.sum(opened.c.amount), whole),
            sa.cast(sa.func.sum(now.c.won), whole),
        )
        .join(now, now.c.record == opened.c.record)
        .group_by(opened.c.pipeline, opened.c.stage, opened.c.currency, decided)
    )
    return [Outcome(row[0], row[1], row[2], bool(row[3]), *row[4:]) for row in tx.execute(query)]
