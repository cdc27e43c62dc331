"""Leads for people: lists, chains, numbers. Everything goes through the same access filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from chassis import fields, paging
from chassis.errors import Invalid
from chassis.paging import Column
from chassis.transaction import Transaction
from dealwright.leads.v1 import leads_pb2
from leads.domain.attention import rule
from leads.domain.lead import Attention, Channel, Intent, Lead, Status
from leads.storage import reading as stored
from leads.storage.tables import leads, touchpoints
from leads.usecases import rights

_GROUPS: Mapping[str, type[Attention] | type[Channel] | type[Intent] | type[Status] | None] = {
    "channel": Channel,
    "region": None,
    "status": Status,
    "owner": None,
    "intent": Intent,
    "attention": Attention,
}
_MOST_ROWS = 10_000
_ENUMS = leads_pb2.Lead.DESCRIPTOR.enum_types_by_name


def columns(tx: Transaction) -> dict[str, Column]:
    """What lists and summaries may be filtered by, and lists sorted by."""
    c = leads.c
    return {
        "status": Column(c.status, "enum", _ENUMS["Status"]),
        "owner": Column(c.owner, "name"),
        "channel": Column(c.channel, "enum", leads_pb2.DESCRIPTOR.enum_types_by_name["Channel"]),
        "intent": Column(c.intent, "enum", _ENUMS["Intent"]),
        "region": Column(c.region, "text", normalise=fields.region),
        "industry": Column(c.industry, "text"),
        "category": Column(c.category, "text"),
        "capture_time": Column(c.capture_time, "time", order=True),
        "last_activity_time": Column(c.last_activity_time, "time", order=True),
        "respond_by": Column(c.respond_by, "time", order=True),
        "attention": Column(stored.attention(rule(tx.now)), "enum", _ENUMS["Attention"], nullable=False),
        "phone": Column(c.phone, "text", normalise=fields.direct_line, lookup=partial(stored.known_under, "phone")),
        "email": Column(c.email, "text", normalise=fields.email, lookup=partial(stored.known_under, "email")),
        "full_name": Column(c.full_name, "text"),
        "company": Column(c.company, "text"),
        "tags": Column(c.tags, "labels"),
        "missed_responses": Column(c.missed_responses, "int"),
    }


def page(tx: Transaction, request: leads_pb2.ListLeadsRequest) -> tuple[list[Lead], str, int | None]:
    """One page of the leads that the caller may see (L1), the next page's token, and how many there are where that
    is cheap to say."""
    query = stored.LEADS.where(rights.criteria(tx.principal, "read"))
    found = paging.listing(
        tx,
        query if request.show_deleted else query.where(stored.THERE),
        columns(tx),
        request,
        "capture_time desc",
        leads.c.name,
        hidden=tx.principal.grant("leads").hidden,
        count=partial(stored.few, tx),
    )
    return [Lead(*row[: len(stored.COLUMNS)]) for row in found.rows], found.next_page_token, found.total


def chain(tx: Transaction, request: leads_pb2.ListTouchpointsRequest) -> tuple[Sequence[Any], str]:
    """One page of a lead's touchpoints, of a deleted one's too, oldest first. Raises NotFound for a lead out of
    reach."""
    lead = rights.find(tx, request.parent, deleted=True)
    order = {"happen_time": Column(touchpoints.c.happen_time, "time", order=True)}
    query = stored.POINTS.where(touchpoints.c.lead == lead.name)
    found = paging.listing(tx, query, order, request, "happen_time", touchpoints.c.id)
    return found.rows, found.next_page_token


def summarize(
    tx: Transaction, group_by: Sequence[str], filter_text: str
) -> list[tuple[list[str], int, int, float | None, int]]:
    """Rows of (group values, leads, responded, mean seconds to the first response, overdue): the heat map (L28), the
    tri-colour board (L29), response times by channel (L30, E11). Raises Invalid for other groups."""
    hidden = tx.principal.grant("leads").hidden
    known = columns(tx)
    wrong = [name for name in group_by if name not in _GROUPS or name in hidden]
    if wrong or not 1 <= len(group_by) <= 2 or len(set(group_by)) < len(group_by):
        names = ", ".join(name for name in _GROUPS if name not in hidden)
        raise Invalid([("group_by", f"must be one or two of {names}", f"须为以下一项或两项：{names}")])
    criteria = sa.and_(rights.criteria(tx.principal, "read"), stored.THERE)
    wanted = paging.criteria(filter_text, known, hidden)
    if wanted is not None:
        criteria = sa.and_(criteria, wanted)
    rows = stored.summarize(tx, [known[name].column for name in group_by], criteria, _MOST_ROWS)
    kinds = [_GROUPS[name] for name in group_by]
    return [
        (
            [kind(value).name if kind else str(value) for kind, value in zip(kinds, row.keys, strict=True)],
            row.leads,
            row.responded,
            row.mean_seconds,
            row.overdue,
        )
        for row in rows
    ]
