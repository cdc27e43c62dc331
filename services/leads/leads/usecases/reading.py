"""Leads for people: one, many, their chains, their numbers. Everything goes through the same access filter."""

from __future__ import annotations

from chassis import paging
from chassis.transaction import Transaction
from leads.domain.attention import rule
from leads.domain.lead import Attention, Channel, Intent, Status
from leads.storage import reading as stored
from leads.storage.tables import leads

_GROUPS = ("channel", "region", "status", "owner", "intent", "attention")


def columns(tx: Transaction) -> dict[str, paging.Column]:
    """What lists may be filtered by."""
    return {
        "status": paging.Column(leads.c.status, "enum", Status),
        "owner": paging.Column(leads.c.owner, "string"),
        "channel": paging.Column(leads.c.channel, "enum", Channel),
        "intent": paging.Column(leads.c.intent, "enum", Intent),
        "region": paging.Column(leads.c.region, "string"),
        "industry": paging.Column(leads.c.industry, "string"),
        "category": paging.Column(leads.c.category, "string"),
        "capture_time": paging.Column(leads.c.capture_time, "time"),
        "last_activity_time": paging.Column(leads.c.last_activity_time, "time"),
        "respond_by": paging.Column(leads.c.respond_by, "time"),
        "attention": paging.Column(stored.attention(rule(tx.now)), "enum", Attention),
        "phone": paging.Column(leads.c.phone, "string"),
        "email": paging.Column(leads.c.email, "string"),
        "company": paging.Column(leads.c.company, "string"),
    }
