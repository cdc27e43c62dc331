"""An opportunity is worth what its last approved quote comes to (Q4)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp

from dealwright.contracts.v1 import approvals_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events_pb2
from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from dealwright.rules.v1 import events_pb2 as rule_events_pb2
from tests.opportunities.desk import LI, Desk, money, refused
from tests.opportunities.test_stages import company

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
# In minutes: after whatever happens in a test.
AFTERWARDS = 60 * 24 * 365 * 100


def approved(
    of: pb.Opportunity, total: int, minute: int = 0, quote: str = "quotes/1", status: str = "APPROVED", **more: Any
) -> contract_events_pb2.ApprovalDecided:
    """Its quote's approval ended, so many minutes past noon."""
    end = Timestamp()
    end.FromDatetime(NOON + timedelta(minutes=minute))
    seat = approvals_pb2.Approval.Seat(person="people/boss", verdict=approvals_pb2.Approval.APPROVE)
    return contract_events_pb2.ApprovalDecided(
        approval=approvals_pb2.Approval(
            **{
                "name": f"approvals/{quote.rpartition('/')[2]}-{minute}",
                "record": quote,
                "opportunity": of.name,
                "owner": of.owner,
                "amount": money(total),
                "status": approvals_pb2.Approval.Status.Value(status),
                "steps": [approvals_pb2.Approval.Step(seats=[seat])],
                "end_time": end,
                **more,
            }
        )
    )


def hear(desk: Desk, *events: contract_events_pb2.ApprovalDecided) -> None:
    desk.hear("approved_quotes", *events)


def test_Q4_an_approved_quote_is_what_the_deal_is_worth_and_what_it_remembers(desk: Desk) -> None:
    made = desk.open(
        amount=money(100_000), win_probability=35, expected_close_date="2099-12-31", custom={"margin": "12"}
    )
    desk.announced()
    hear(desk, approved(made, 80_000))
    after = desk.get(made.name)
    assert (after.amount, after.approved_quote) == (money(80_000), "quotes/1")
    assert after.quote_approve_time.ToDatetime(UTC) == NOON
    changed = {"amount", "approved_quote", "quote_approve_time", "etag", "update_time"}
    for field in pb.Opportunity.DESCRIPTOR.fields:
        if field.name not in changed:
            assert getattr(after, field.name) == getattr(made, field.name), field.name
    news = desk.announced()
    (taken,) = [one for one in news if isinstance(one, events_pb2.QuoteTaken)]
    assert (taken.quote, taken.approval, taken.amount) == ("quotes/1", "approvals/1-0", money(80_000))
    (state,) = [one for one in news if isinstance(one, events_pb2.OpportunityChanged)]
    assert (state.opportunity.amount, state.opportunity.approved_quote) == (money(80_000), "quotes/1")
    assert not [one for one in news if isinstance(one, rule_events_pb2.ActionRequested)], "who asked is told already"
    rows = audited(desk, made.name)
    assert [row.actor for row in rows] == ["services/opportunities"] * 2
    assert rows[0].action == "opportunity.quoted"
    assert rows[1].detail["approvedBy"] == ["people/boss"]
    assert (rows[1].detail["quote"], rows[1].detail["approval"]) == ("quotes/1", "approvals/1-0")


def audited(desk: Desk, name: str) -> list[Any]:
    """What the audit log says of it since it was opened."""
    log = desk.runtime.service.tables.audit_log
    with desk.runtime.reading() as tx:
        query = sa.select(log.c.actor, log.c.action, log.c.detail).where(log.c.subject == name).order_by(log.c.id)
        return [row for row in tx.execute(query) if row.action.startswith("opportunity.quote")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_Q4_the_last_approval_counts_in_whatever_order_and_however_often_it_is_heard_of(
    order: tuple[int, ...], desk: Desk
) -> None:
    made = desk.open(amount=money(100))
    told = [approved(made, 90), approved(made, 70, 5, "quotes/2"), approved(made, 80, 9, "quotes/1v2")]
    hear(desk, *(told[place] for place in order))
    once = desk.get(made.name)
    assert (once.amount, once.approved_quote) == (money(80), "quotes/1v2")
    hear(desk, *told, *told)
    assert desk.get(made.name).etag == once.etag


def test_Q4_what_a_person_writes_afterwards_stays_and_what_he_wrote_before_is_stale(desk: Desk) -> None:
    made = desk.open(amount=money(100))
    hear(desk, approved(made, 80))
    with refused("STALE"):
        desk.change(made.name, "amount", amount=money(95), etag=made.etag)
    desk.change(made.name, amount=money(75))
    hear(desk, approved(made, 80))
    assert desk.get(made.name).amount == money(75), "the same approval, told of again"
    hear(desk, approved(made, 70, 3, status="REJECTED"), approved(made, 70, 4, status="WITHDRAWN"))
    after = desk.get(made.name)
    assert (after.amount, after.approved_quote) == (money(75), "quotes/1"), "nothing is blanked"
    hear(desk, approved(made, 60, 5, "quotes/2"))
    assert desk.get(made.name).amount == money(60)


def test_Q4_nobody_writes_which_quote_was_approved(desk: Desk) -> None:
    made = desk.open(approved_quote="quotes/9")
    assert desk.get(made.name).approved_quote == ""
    with refused("INVALID", "update_mask.approved_quote"):
        desk.change(made.name, approved_quote="quotes/9")


def test_Q4_what_is_over_stays_as_it_is_and_what_waits_takes_it(desk: Desk) -> None:
    lost, gone, held = (desk.open(amount=money(100)) for _ in range(3))
    desk.act("Lose", lost.name, reason="价格")
    desk.call("DeleteOpportunity", pb.DeleteOpportunityRequest(name=gone.name), LI)
    desk.act("Hold", held.name)
    won = desk.open(amount=money(100))
    desk.ready(won.name)
    desk.move(won.name, "need-clear", "quote", "negotiation", "won")
    unknown = pb.Opportunity(name="opportunities/0")
    for of in (lost, gone, held, won, unknown):
        hear(desk, approved(of, 80, AFTERWARDS))
    for name in (lost.name, won.name):
        assert (desk.get(name).amount, desk.get(name).approved_quote) == (money(100), "")
    assert desk.get(held.name).amount == money(80)
    back = desk.call("UndeleteOpportunity", pb.UndeleteOpportunityRequest(name=gone.name), LI)
    assert back.amount == money(100)


def test_Q4_a_yes_from_before_the_end_counts_though_it_is_heard_of_after_it(desk: Desk) -> None:
    lost, gone = (desk.open(amount=money(100)) for _ in range(2))
    desk.act("Lose", lost.name, reason="价格")
    desk.call("DeleteOpportunity", pb.DeleteOpportunityRequest(name=gone.name), LI)
    desk.announced()
    hear(desk, approved(lost, 80), approved(gone, 70))
    assert not [one for one in desk.announced() if isinstance(one, events_pb2.StageReady)]
    back = desk.call("UndeleteOpportunity", pb.UndeleteOpportunityRequest(name=gone.name), LI)
    assert (back.amount, desk.get(lost.name).amount) == (money(70), money(80))


def test_Q4_approvals_of_other_things_and_of_other_ends_change_nothing(desk: Desk) -> None:
    made = desk.open(amount=money(100))
    hear(
        desk,
        approved(made, 80, record="contracts/1"),
        approved(made, 80, record=made.name),
        approved(made, 80, status="REJECTED"),
        approved(made, 80, status="RETURNED"),
    )
    assert desk.get(made.name).etag == made.etag


def test_Q4_an_owner_who_did_not_ask_himself_is_told(desk: Desk) -> None:
    made = desk.open(amount=money(100))
    desk.announced()
    hear(desk, approved(made, 80, owner="people/boss"))
    (notice,) = desk.announced(rule_events_pb2.ActionRequested)
    assert (notice.action, notice.person) == ("NOTIFY", made.owner)
    assert made.number in notice.text_zh
    assert made.number in notice.text_en


def test_Q4_O20_a_gate_on_the_amount_opens_by_it(desk: Desk) -> None:
    company(desk, {"kind": "AMOUNT", "minimum": 50, "currency": "CNY"})
    made = desk.open(amount=money(10))
    with refused("GATE", "opportunity.amount"):
        desk.move(made.name, "offer")
    desk.announced()
    hear(desk, approved(made, 80))
    assert [one.stage for one in desk.announced(events_pb2.StageReady)] == ["offer"]
    assert desk.move(made.name, "offer").stage == "offer"
