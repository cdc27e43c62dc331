"""Who may ask for an approval of what, by himself (O19, O20, O35)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chassis.access import Scope
from chassis.errors import Denied, Invalid, NotFound, Refused
from chassis.money import Money
from chassis.people import find
from chassis.transaction import Transaction
from contracts.domain.approval import Approval
from contracts.domain.party import Party
from contracts.storage import parties
from contracts.storage.tables import people
from contracts.usecases import approvals
from contracts.usecases.parties import not_open

_KINDS = {
    "opportunities": "opportunity",
    "customers": "customer",
    "changeRequests": "changeRequest",
    "attachments": "attachment",
    "tasks": "task",
}
_RECORD = re.compile(rf"({'|'.join(_KINDS)})/[0-9a-f]{{32}}")


def ask(tx: Transaction, record: str, flow: str, amount: Money | None, facts: Mapping[str, Any]) -> Approval:
    """Asks about a record that has no method of its own for it. An opportunity or a customer has to be the caller's to
    change; of the others only their names are known here."""
    shape = _RECORD.fullmatch(record)
    if shape is None:
        english = f"must be one of {', '.join(_KINDS)}; quotes and contracts are submitted"
        chinese = f"须为 {'、'.join(_KINDS)} 之一；报价与合同请使用提交"
        raise Invalid([("approval.record", english, chinese)])
    resource, party = shape[1], Party("", 0, False, "")
    if resource in ("opportunities", "customers"):
        party = _changeable(tx, resource, record)
    if party.lost:
        raise not_open()
    deal = party if resource == "opportunities" else None
    return approvals.request(
        tx,
        _KINDS[resource],
        record,
        opportunity=record if deal else "",
        customer=deal.customer if deal else party.name,
        amount=amount or (deal.expected if deal else None),
        facts=facts,
        flow=flow,
    )


def for_stage(
    tx: Transaction,
    opportunity: str,
    flow: str,
    customer: str,
    amount: Money | None,
    asker: str,
    facts: Mapping[str, Any],
    version: int,
) -> Approval | None:
    """What a stage's gate needs was uploaded: the run of its flow begins, unless one is under way (O19), or the
    opportunity is over since; `version` is the one for which it is asked. Raises NO_FLOW, NO_APPROVER."""
    known = parties.told_of(tx, [opportunity], hold=True).get(opportunity)
    if known is not None and known.is_over and known.version >= version:
        return None
    try:
        return approvals.request(
            tx,
            "opportunity",
            opportunity,
            opportunity=opportunity,
            customer=customer,
            amount=amount,
            facts=facts,
            flow=flow,
            asker=asker,
        )
    except Refused as problem:
        if problem.reason != "PENDING":
            raise
        return None


def _changeable(tx: Transaction, resource: str, name: str) -> Party:
    """Raises NotFound for what the caller may not see, Denied for what he may not change."""
    party = parties.find(tx, name, hold=True)
    if party is None or not _covers(tx, resource, "read", party.owner):
        raise NotFound(name)
    if not _covers(tx, resource, "write", party.owner):
        raise Denied(f"{resource}.write")
    return party


def _covers(tx: Transaction, resource: str, verb: str, owner: str) -> bool:
    scope, caller = tx.principal.scope(resource, verb), tx.principal
    if scope is Scope.ALL or (scope is not Scope.NONE and owner == caller.person):
        return True
    if scope is not Scope.TEAM:
        return False
    known = find(tx, people, owner) if owner else None
    return not owner or (known is not None and known.team in (caller.teams or ("",)))
