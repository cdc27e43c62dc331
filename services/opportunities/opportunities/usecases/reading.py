"""Opportunities for people: lists, histories, the board. Everything goes through the same access filter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis import paging, records
from chassis.money import UNITS, Money, of_units
from chassis.paging import Column
from chassis.transaction import Transaction
from dealwright.opportunities.v1 import opportunities_pb2
from opportunities.domain.opportunity import Opportunity, Share, StageChange
from opportunities.storage import moves, readers
from opportunities.storage.tables import opportunities, shares, stage_changes
from opportunities.usecases import pipelines
from opportunities.usecases.kind import COLUMNS, KIND, RESOURCE, working_on


class Row(NamedTuple):
    """One cell of the board. `amount` is the sum in one currency, None for those without an amount."""

    pipeline: str
    stage: str
    status: int
    found: int
    amount: Money | None


def page(
    tx: Transaction, request: opportunities_pb2.ListOpportunitiesRequest
) -> tuple[list[Opportunity], str, int | None]:
    return records.page(tx, KIND, request)


def history(tx: Transaction, request: opportunities_pb2.ListStageChangesRequest) -> tuple[list[StageChange], str]:
    """One page of its moves, oldest first. Raises NotFound for an opportunity out of reach."""
    of = records.find(tx, KIND, request.parent, deleted=True)
    query = moves.MOVES.where(stage_changes.c.opportunity == of.name)
    order = {"id": Column(stage_changes.c.id, "name", order=True)}
    found = paging.listing(tx, query, order, request, "id", stage_changes.c.id)
    return [StageChange(*row[: len(moves.COLUMNS)]) for row in found.rows], found.next_page_token


def shared(tx: Transaction, request: opportunities_pb2.ListSharesRequest) -> tuple[list[Share], str]:
    """One page of the shares that have not ended. Raises NotFound for an opportunity out of reach."""
    of = records.find(tx, KIND, request.parent)
    query = readers.SHARES.where(shares.c.opportunity == of.name, shares.c.end_time > tx.now)
    order = {"end_time": Column(shares.c.end_time, "time", order=True)}
    found = paging.listing(tx, query, order, request, "end_time", shares.c.person)
    return [Share(*row[: len(readers.COLUMNS)]) for row in found.rows], found.next_page_token


# What somebody only decides about is in none of his sums.
_OWN = replace(KIND, also=working_on)


def summarize(tx: Transaction, filter_text: str) -> list[Row]:
    """Counts and sums by pipeline, stage, status and currency of what the caller may see (O23), in the order of the
    stages. Raises Invalid for a filter."""
    hidden = tx.principal.grant(RESOURCE).hidden
    o = opportunities.c
    # Whole and rest apart: a sum of ten-thousandths would leave 64 bits much sooner.
    query = (
        sa.select(
            *(o.pipeline, o.stage, o.status, o.currency, sa.func.count().label("count")),
            sa.func.sum(o.amount / sa.literal_column(str(UNITS), sa.BigInteger())).label("whole"),
            sa.func.sum(o.amount % sa.literal_column(str(UNITS), sa.BigInteger())).label("rest"),
        )
        .where(records.criteria(_OWN, tx.principal, "read"), o.delete_time.is_(None))
        .group_by(o.pipeline, o.stage, o.status, o.currency)
    )
    wanted = paging.criteria(filter_text, COLUMNS, hidden)
    if wanted is not None:
        query = query.where(wanted)
    found = [_row(row) for row in tx.execute(query)]
    places = {
        (way.name, stage.id): (number, place)
        for number, way in enumerate(pipelines.current(tx)[0])
        for place, stage in enumerate(way.stages)
    }
    last = (len(places), 0)
    return sorted(
        found,
        key=lambda row: (
            places.get((row.pipeline, row.stage), last),
            row.status,
            row.amount.currency if row.amount else "",
        ),
    )


def _row(row: Any) -> Row:
    units = None if row.whole is None else int(row.whole) * UNITS + int(row.rest)
    return Row(row.pipeline, row.stage, row.status, row.count, of_units(units, row.currency))
