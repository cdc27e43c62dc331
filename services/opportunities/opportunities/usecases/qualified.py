"""A qualified lead becomes an opportunity of its owner by itself, where the company or whoever qualified it wants that
(L25)."""

from __future__ import annotations

from dataclasses import fields

import sqlalchemy as sa

from chassis import people
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Opportunity, Welcomed
from opportunities.storage.tables import opportunities
from opportunities.storage.tables import people as people_table
from opportunities.usecases import keeping, pipelines
from opportunities.usecases.days import today

_KEPT = tuple(field.name for field in fields(Welcomed) if field.name not in ("owner", "wanted"))


def welcome(tx: Transaction, lead: Welcomed) -> Opportunity | None:
    """Opens it in the pipeline that takes every qualified lead, or in the default one if asked to; once a lead."""
    every, _ = pipelines.current(tx)
    taking = next((way for way in every if way.open_qualified), None)
    if taking is None and not lead.wanted:
        return None
    known = sa.select(opportunities.c.name).where(opportunities.c.lead == lead.lead, opportunities.c.lead != "")
    if tx.execute(known).first() is not None:
        return None
    owner = people.find(tx, people_table, lead.owner) if lead.owner else None
    values = {name: getattr(lead, name) for name in _KEPT}
    team = owner.team if owner else ""
    return keeping.store(
        tx, taking or every[0], keeping.standing(tx, values), lead.owner, team, today(tx), confirmed=False
    )
