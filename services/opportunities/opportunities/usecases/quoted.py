"""What becomes of an opportunity when a quote of it is approved (Q4)."""

from __future__ import annotations

from dataclasses import replace

from chassis import records
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Agreed
from opportunities.usecases import gates
from opportunities.usecases.days import today
from opportunities.usecases.kind import KIND
from opportunities.wire import asking, events


def take(tx: Transaction, agreed: Agreed) -> None:
    """What the quote comes to is what the opportunity is expected to bring, unless it was over by then, or one that was
    approved later is there already. An amount that somebody writes after that stays, until the next quote is approved.
    """
    before = records.of_names(tx, KIND, [agreed.opportunity], lock=True).get(agreed.opportunity)
    if before is None:
        return
    over = [at for at in (before.close_time, before.delete_time) if at is not None]
    # A yes from before its end may be heard of after it.
    if over and agreed.at >= min(over):
        return
    known = before.quote_approve_time
    if known is not None and (known, before.approved_quote) >= (agreed.at, agreed.quote):
        return
    after = replace(
        before,
        amount=agreed.total.units,
        currency=agreed.total.currency,
        approved_quote=agreed.quote,
        quote_approve_time=agreed.at,
    )
    saved = records.save(tx, KIND, before, after, "quoted")
    why = {"approval": agreed.approval, "approvedBy": list(agreed.approvers), "event": tx.origin.causation_id}
    tx.audit("opportunity.quoteApproved", saved.name, {"quote": agreed.quote, **why})
    tx.emit(events.quote_taken(saved, agreed.approval))
    if saved.owner not in ("", agreed.asker):  # who asked is told that it was approved
        tx.emit(asking.quoted(saved, agreed.approval))
    if not over:
        gates.look(tx, saved, today(tx))
