"""The instalments of a contract are written: as its finance mode says, or as somebody says (K10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from chassis import records
from chassis.database import insert_rows
from chassis.errors import Invalid, Refused
from chassis.money import UNITS, Money
from chassis.transaction import Transaction
from contracts.domain import plan as plans
from contracts.domain.bill import Due, Instalment
from contracts.domain.contract import OPEN, Contract, FinanceMode, Interval
from contracts.domain.plan import PlanProblem, Terms
from contracts.storage import bills
from contracts.usecases.contract_kinds import CONTRACT, INSTALMENT, hold_contract

Row = tuple[str, int, str]
"""Title, ten-thousandths, due date or empty."""


def fixed() -> Refused:
    return Refused(
        "FIXED",
        "This contract is under approval, signed or void: it takes a change that is agreed to.",
        "该合同已提交、已签署或已作废，只能通过合同变更修改。",
    )


def generated(of: Contract) -> list[Row]:
    """The instalments that the finance mode gives. Raises Invalid naming the field that stands in the way."""
    try:
        planned = plans.generate(_terms(of))
    except PlanProblem as problem:
        raise Invalid([(f"contract.{problem.field}", problem.english, problem.chinese)]) from None
    return [(one.title, Money(one.amount, of.currency).units, _text(one.due_date)) for one in planned]


def dated(tx: Transaction, of: Contract) -> list[Row]:
    """The instalments of what is signed, word for word as they were approved: those that waited for the signature have
    a due date now."""
    plan = bills.plan_of(tx, INSTALMENT, of.name)
    if of.finance_mode == FinanceMode.MILESTONE:
        due = [""] * len(plan)
    elif of.planned_by_hand:
        due = [of.sign_date] * len(plan)
    else:
        due = [_text(day) for day in plans.days(_terms(of))]
    return [(one.title, one.amount, one.due_date or day) for one, day in zip(plan, due, strict=True)]


def _terms(of: Contract) -> Terms:
    return Terms(
        of.money(of.amount).amount,
        of.currency,
        FinanceMode(of.finance_mode),
        Interval(of.interval),
        of.instalment_count,
        _date(of.start_date or of.sign_date),
        _date(of.expiry_date),
    )


def followed(tx: Transaction, before: Contract | None, after: Contract) -> tuple[Contract, list[Row] | None]:
    """The contract as it is kept, and its instalments anew where it differs from what they were made of: in proportion
    where somebody wrote them, else as the finance mode says. None where they stay."""
    if before is None:
        return after, generated(after)
    shape = ("finance_mode", "interval", "instalment_count")
    reshaped = any(getattr(before, name) != getattr(after, name) for name in shape)
    if after.planned_by_hand and not reshaped:
        if (before.amount, before.currency) == (after.amount, after.currency):
            return after, None
        return after, _rescaled(bills.plan_of(tx, INSTALMENT, after.name), after)
    measures = ("amount", "currency", "start_date", "expiry_date")
    if reshaped or any(getattr(before, name) != getattr(after, name) for name in measures):
        return replace(after, planned_by_hand=False), generated(after)
    return after, None


def _rescaled(plan: Sequence[Instalment], of: Contract) -> list[Row]:
    if not plan or not of.amount:
        return generated(of)
    try:
        parts = plans.split(of.money(of.amount).amount, [Decimal(one.amount) for one in plan], of.currency)
    except PlanProblem as problem:
        raise Invalid([(f"contract.{problem.field}", problem.english, problem.chinese)]) from None
    return [(one.title, Money(part, of.currency).units, one.due_date) for one, part in zip(plan, parts, strict=True)]


def write(tx: Transaction, of: Contract, rows: Sequence[Row]) -> list[Instalment]:
    """The instalments of a contract that nobody has paid, in the place of those it had. The caller holds it."""
    before = bills.plan_of(tx, INSTALMENT, of.name)
    found: list[Instalment] = []
    for was, (title, amount, due) in zip(before, rows, strict=False):
        anew = replace(was, title=title, amount=amount, due_date=due, currency=of.currency, customer=of.customer)
        found.append(records.save(tx, INSTALMENT, was, replace(anew, owner=of.owner, status=Due.OPEN.value)))
    found += add(tx, of, rows[len(before) :], len(before))
    gone = before[len(rows) :]
    bills.drop_plan(tx, [one.name for one in gone])
    for one in gone:
        tx.audit("instalment.dropped", one.name, {"contract": of.name})
        INSTALMENT.announce(tx, one, None)
    return found


def add(tx: Transaction, of: Contract, rows: Sequence[Row], after: int) -> list[Instalment]:
    """More instalments, numbered from `after` on."""
    made = [
        Instalment(
            *(INSTALMENT.new_name(), of.name, of.customer, title, position, amount, 0, of.currency, due),
            *(Due.OPEN.value, of.owner, "", 1, tx.now, tx.now, None),
        )
        for position, (title, amount, due) in enumerate(rows, after + 1)
    ]
    names = INSTALMENT.names
    insert_rows(tx.connection, INSTALMENT.table, names, [[getattr(one, name) for name in names] for one in made])
    for one in made:
        tx.audit("instalment.created", one.name, {"contract": of.name})
        INSTALMENT.announce(tx, None, one)
    return made


def plan(tx: Transaction, name: str, etag: str, given: Sequence[tuple[str, Money, str]]) -> list[Instalment]:
    """Writes the instalments of a draft: those that are given, else those of the finance mode. Raises Invalid where
    their sum is not the contract's amount."""
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status not in OPEN:
        raise fixed()
    if not given:
        after = records.save(tx, CONTRACT, before, replace(before, planned_by_hand=False), "planned")
        return write(tx, after, generated(after))
    wrong = [
        (f"instalments[{place}].amount", f"must be in {before.currency}", f"币种须为 {before.currency}")
        for place, (_, amount, _) in enumerate(given)
        if amount.currency != before.currency
    ]
    total = sum(amount.units for _, amount, _ in given)
    if not wrong and total != before.amount:
        is_, must = Decimal(total) / UNITS, before.money(before.amount).amount
        english = f"come to {is_:f}, the contract to {must:f}"
        wrong.append(("instalments", english, f"合计 {is_:f}，与合同金额 {must:f} 不符"))
    if wrong:
        raise Invalid(wrong)
    after = records.save(tx, CONTRACT, before, replace(before, planned_by_hand=True), "planned")
    titled = [(title or f"第 {n} 期 Instalment {n}", amount, due) for n, (title, amount, due) in enumerate(given, 1)]
    return write(tx, after, [(title, amount.units, due) for title, amount, due in titled])


def change(tx: Transaction, name: str, etag: str, values: dict[str, str]) -> Instalment:
    """Another title, and until the contract is submitted another due date. Amounts change together (`plan`)."""
    of = locked_with(tx, name)
    before = records.hold(tx, INSTALMENT, name, etag)
    after = replace(before, **values)  # type: ignore[arg-type]
    if of.status not in OPEN and (after.due_date != before.due_date or before.status == Due.CANCELLED):
        raise fixed()
    if after.due_date != before.due_date and not of.planned_by_hand:
        records.save(tx, CONTRACT, of, replace(of, planned_by_hand=True), "planned")
    return records.save(tx, INSTALMENT, before, after)


def locked_with(tx: Transaction, name: str) -> Contract:
    """The contract of an instalment, held before the instalment is. Raises NotFound, Denied."""
    return hold_contract(tx, records.find(tx, INSTALMENT, name).contract, "instalments")


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
