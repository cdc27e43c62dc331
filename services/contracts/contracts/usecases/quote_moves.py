"""Quotes are submitted, revised and accepted."""

from __future__ import annotations

from dataclasses import replace

from chassis import records
from chassis.errors import Refused
from chassis.transaction import Transaction
from contracts.domain.approval import Status as Agreed
from contracts.domain.quote import DECIDED, Quote, Status
from contracts.usecases import approvals, parties
from contracts.usecases.quotes import QUOTES, editable, facts


def submit(tx: Transaction, name: str, etag: str, today: str) -> Quote:
    """Asks for approval (Q2, Q3). Raises NOT_DRAFT, EMPTY, EXPIRED, NOT_OPEN, and what asking raises."""
    before = records.hold(tx, QUOTES, name, etag)
    editable(before)
    if not before.total:
        raise Refused("EMPTY", "It comes to nothing.", "报价金额为零。")
    not_expired(before, today)
    parties.going_on(tx, parties.find(tx, before.opportunity, hold=True))
    asked = approvals.request(
        tx,
        "quote",
        name,
        opportunity=before.opportunity,
        customer=before.customer,
        amount=before.money(before.total),
        facts=facts(tx, before),
    )
    # A flow in which nobody is asked has ended by now.
    agreed = asked.status == Agreed.APPROVED
    status = Status.APPROVED if agreed else Status.SUBMITTED
    return records.save(tx, QUOTES, before, replace(before, status=status.value, approval=asked.name), "submitted")


def revise(tx: Transaction, name: str, etag: str) -> Quote:
    """The next version with the same number; this one is kept as it was offered, and its links
    open nothing any more (Q17). Raises NOT_DECIDED."""
    before = records.hold(tx, QUOTES, name, etag)
    if before.status not in DECIDED:
        raise Refused(
            "NOT_DECIDED", "Only what was approved or rejected is revised.", "仅已批准或已驳回的报价可创建新版本。"
        )
    records.save(tx, QUOTES, before, replace(before, status=Status.REPLACED.value), "replaced")
    made = replace(
        before,
        name=QUOTES.new_name(),
        revision=before.revision + 1,
        status=Status.DRAFT.value,
        approval="",
        first_open_time=None,
        open_count=0,
        version=1,
        create_time=tx.now,
        update_time=tx.now,
    )
    return records.create(tx, QUOTES, made, {"number": made.number, "revises": name})


def accept(tx: Transaction, name: str, etag: str, today: str) -> Quote:
    """The customer said yes. Raises NOT_APPROVED, EXPIRED, NOT_OPEN."""
    before = records.hold(tx, QUOTES, name, etag)
    if before.status != Status.APPROVED:
        raise Refused("NOT_APPROVED", "It was not approved.", "该报价尚未获批。")
    not_expired(before, today)
    parties.going_on(tx, parties.find(tx, before.opportunity))
    return records.save(tx, QUOTES, before, replace(before, status=Status.ACCEPTED.value), "accepted")


def not_expired(of: Quote, today: str) -> None:
    """Raises EXPIRED."""
    if of.has_expired(today):
        raise Refused("EXPIRED", f"It was valid until {of.valid_until}.", f"该报价有效期至 {of.valid_until}，已过期。")
