"""Corrections of what was captured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chassis import custom
from chassis.access import refuse_read_only
from chassis.errors import Invalid, Refused
from chassis.transaction import Transaction
from leads.domain.lead import Kind, Lead
from leads.domain.matching import keys
from leads.storage import leads as stored
from leads.usecases.known import take
from leads.usecases.rights import hold
from leads.usecases.working import announce_correction, note
from leads.wire import events


def correct(tx: Transaction, name: str, etag: str, paths: Sequence[str], values: dict[str, Any]) -> Lead:
    """Writes the values. Raises KEY_TAKEN for a phone or e-mail that another lead has, Denied for a field that the
    caller's role may not change, Stale for an old etag."""
    refuse_read_only(tx.principal, "leads", paths)
    lead = hold(tx, name, etag)
    after = replace(lead, **custom.laid(lead.custom, values, "lead"))
    if after == lead:
        return lead
    if not after.phone and not after.email:
        raise Invalid([("lead.phone", "a phone or an e-mail is required", "手机号和邮箱至少填写一项")])
    after = replace(after, version=lead.version + 1)
    _rekey(tx, lead, after)
    stored.save_facts(tx, [after])
    changed = ", ".join(sorted(paths))
    note(tx, Kind.CHANGED, lead, after, reason=changed)
    tx.emit(events.changed(after))
    announce_correction(tx, after)
    return after


def _rekey(tx: Transaction, before: Lead, after: Lead) -> None:
    """The lead is found by its new phone and e-mail from now on, and no more by those that were wrong."""
    old = set(keys(before.phone, before.email))
    new = set(keys(after.phone, after.email))
    added = sorted(new - old)
    taken = take(tx, added, before.name)
    if taken:
        field = min(taken).partition(":")[0]
        zh = {"phone": "手机号", "email": "邮箱"}[field]
        raise Refused(
            "KEY_TAKEN", f"Another lead has this {field}.", f"该{zh}已属于另一条线索。", code="ALREADY_EXISTS"
        )
    stored.drop_keys(tx, old - new, [before.name])
