"""Automations that begin with a task, a service ticket, an invoice or a payment (C26, K8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from google.type.money_pb2 import Money

from dealwright.activities.v1 import activities_pb2
from dealwright.activities.v1 import events_pb2 as activity_events
from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events
from rules.domain.automation_form import AutomationsInvalid, from_plain
from tests.rules.deals import Deals, brief, customer
from tests.rules.house import House

DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
Task = activities_pb2.Task


@pytest.fixture
def deals(house: House) -> Deals:
    made = Deals(house)
    made.staff()
    made.customer(1)
    made.fire()
    return made


def rule(id: str, on: str, *to: str, kind: str = "NOTIFY", **more: Any) -> dict[str, Any]:
    action = {"kind": kind, "to": list(to) or ["owner"], "titleZh": "{title}", "titleEn": "{title}"}
    return {"id": id, "on": on, "actions": [action], **more}


def task(
    deals: Deals, number: int = 1, due: datetime | None = None, version: int = 1, **fields: Any
) -> activity_events.TaskChanged:
    of = Task(
        **{
            "name": f"tasks/{number:032x}",
            "kind": Task.TICKET,
            "title": f"打印机不工作{number}",
            "status": Task.OPEN,
            "owner": "people/li",
            "team": "teams/east",
            "customer": customer(1),
            "record": customer(1),
            "etag": str(version),
            **fields,
        }
    )
    of.create_time.FromDatetime(deals.house.now)
    if due is not None:
        of.due_time.FromDatetime(due)
    return activity_events.TaskChanged(task=of, version=version)


def later(of: activity_events.TaskChanged, **fields: Any) -> activity_events.TaskChanged:
    """Its next version."""
    changed = activity_events.TaskChanged(version=of.version + 1)
    changed.task.CopyFrom(of.task)
    changed.task.MergeFrom(Task(**fields, etag=str(changed.version)))
    return changed


def test_C26_a_ticket_starts_what_the_company_wants_for_it_once(deals: Deals) -> None:
    deals.apply(
        [
            rule("ticket", "TASK_OPENED", "manager", "team", when='kind == "TICKET" && record == "customers"'),
            rule("work", "TASK_OPENED", "roles/finance", kind="CREATE_TASK", when='kind == "TICKET"'),
        ]
    )
    deals.asked()
    opened = task(deals)
    deals.tell(opened, opened)
    told = deals.asked()
    assert sorted(set(brief(told))) == [
        *("ticket:NOTIFY:boss", "ticket:NOTIFY:li", "ticket:NOTIFY:wu", "work:CREATE_TASK:fin"),
    ]
    assert len({one.origin for one in told}) == 4, "told twice it is asked under the same name"
    notice = told[0]
    work = next(one for one in told if one.automation == "work")
    assert (notice.subject, notice.text_zh) == (opened.task.name, "打印机不工作1")
    assert (work.parameters["record"], work.parameters["customer"]) == (customer(1), customer(1))
    deals.tell(task(deals, version=2), task(deals, 2, kind=Task.TODO), task(deals, 3, status=Task.DONE))
    assert deals.asked() == [], "a change, a to-do, and what was done before it was told of"


def test_C26_a_ticket_that_nobody_finished_in_time_is_told_until_it_is_done(deals: Deals) -> None:
    deals.apply(
        [
            rule("waits", "TASK_OPENED", "manager", after={"hours": 8}),
            rule("late", "TASK_OVERDUE"),
            rule("later", "TASK_OVERDUE", "manager", after={"days": 1}),
            rule("done", "TASK_DONE", "manager", when='result != ""'),
        ]
    )
    start = deals.house.now
    opened = {number: task(deals, number, due=start + 2 * DAY) for number in (1, 2, 3)}
    deals.tell(*opened.values())
    assert deals.asked() == []
    done = later(opened[2], status=Task.DONE, result="已更换")
    deals.tell(done, activity_events.TaskDone(task=done.task))
    assert brief(deals.asked()) == ["done:NOTIFY:boss"]
    deals.house.now = start + 8 * HOUR - TICK
    assert brief(deals.fire()) == []
    deals.house.now += TICK
    assert brief(deals.fire()) == ["waits:NOTIFY:boss"] * 2
    # The day of one is moved; never early, and once.
    moved = later(opened[3])
    moved.task.due_time.FromDatetime(start + 9 * DAY)
    deals.tell(moved)
    deals.house.now = start + 2 * DAY - TICK
    assert deals.fire() == []
    deals.house.now += TICK
    assert brief(deals.fire()) == ["late:NOTIFY:li"]
    assert deals.pass_days(1) == ["later:NOTIFY:boss"]
    assert deals.pass_days(2) == []
    deals.tell(later(moved, status=Task.CANCELLED))
    assert deals.pass_days(20) == []


def test_C26_news_of_a_task_in_another_order_comes_to_the_same(deals: Deals) -> None:
    deals.apply([rule("late", "TASK_OVERDUE"), rule("new", "TASK_OPENED")])
    due = deals.house.now + DAY
    deals.tell(task(deals, due=due, version=2, status=Task.DONE))
    deals.tell(task(deals, due=due))
    assert brief(deals.asked()) == ["new:NOTIFY:li"], "it was opened, all the same"
    assert deals.pass_days(2) == []


def test_C26_R16_what_an_automation_asked_for_starts_neither_it_nor_others_in_a_circle(deals: Deals) -> None:
    deals.apply(
        [
            rule("more", "TASK_OPENED", kind="CREATE_TASK"),
            rule("late", "TASK_OVERDUE", kind="CREATE_TASK"),
            rule("tell", "TASK_OVERDUE", "manager", when='automation == "late"'),
            rule("done", "TASK_DONE", kind="CREATE_TASK"),
        ]
    )
    due = deals.house.now + HOUR
    deals.tell(task(deals, 1, due=due, origin="automations/more/0/x/li", kind=Task.TODO))
    made = task(deals, 2, due=due, origin="automations/late/0/x/li", kind=Task.TODO)
    deals.tell(made)
    assert deals.asked() == []
    assert deals.pass_days(1) == ["late:CREATE_TASK:li", "tell:NOTIFY:boss"]
    own = task(deals, 3, version=2, origin="automations/done/0/x/li", status=Task.DONE)
    deals.tell(activity_events.TaskDone(task=own.task), activity_events.TaskDone(task=made.task))
    assert [(one.automation, one.subject) for one in deals.asked()] == [("done", made.task.name)]


def test_K8_invoices_and_payments_are_told_to_whom_a_finance_system_signs_in_as(deals: Deals) -> None:
    deals.apply(
        [
            rule("invoice", "INVOICE_ISSUED", "people/fin", when="amount >= 1000"),
            rule("paid", "PAYMENT_RECEIVED", "people/fin", when='method == "BANK"'),
            rule("back", "PAYMENT_REFUNDED", "people/fin", when="amount < 0"),
        ]
    )
    contract = f"contracts/{1:032x}"
    invoice = contracts_pb2.Invoice(
        name=f"invoices/{1:032x}",
        number="N1",
        title="华东物流",
        contract=contract,
        customer=customer(1),
        owner="people/li",
        amount=Money(currency_code="CNY", units=1000, nanos=990_000_000),
        issue_date="2026-11-22",
    )
    payment = contracts_pb2.Payment(
        name=f"payments/{1:032x}",
        contract=contract,
        customer=customer(1),
        owner="people/li",
        amount=Money(currency_code="CNY", units=600),
        method="BANK",
        reference="B-1",
    )
    refund = contracts_pb2.Payment(name=f"payments/{2:032x}", contract=contract, owner="people/li")
    refund.amount.CopyFrom(Money(currency_code="CNY", units=-100))
    deals.tell(contract_events.InvoiceIssued(invoice=invoice))
    deals.tell(contract_events.PaymentReceived(payment=payment), contract_events.PaymentRefunded(payment=refund))
    told = deals.asked()
    assert brief(told) == [f"{one}:NOTIFY:fin" for one in ("invoice", "paid", "back")]
    assert [one.subject for one in told] == [invoice.name, payment.name, refund.name]
    assert {one.parameters["contract"] for one in told} == {contract}
    invoice.amount.units = 999
    deals.tell(contract_events.InvoiceIssued(invoice=invoice))
    assert deals.asked() == []


@pytest.mark.parametrize("on", ["TASK_DONE", "INVOICE_ISSUED", "PAYMENT_RECEIVED", "PAYMENT_REFUNDED"])
def test_what_is_over_when_it_begins_does_not_wait(on: str) -> None:
    with pytest.raises(AutomationsInvalid) as problem:
        from_plain([rule("x", on, after={"days": 1})])
    assert [path for path, _, _ in problem.value.problems] == ["automations[0].after"]
