"""The history of stages."""

from __future__ import annotations

from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from opportunities.domain.opportunity import StageChange
from opportunities.storage.tables import stage_changes

COLUMNS = tuple(field.name for field in fields(StageChange))
MOVES = sa.select(*(stage_changes.c[name] for name in COLUMNS))


def add(tx: Transaction, move: StageChange) -> None:
    insert_rows(tx.connection, stage_changes, COLUMNS, [astuple(move)])
