"""What must hold of deals after any fault, read from the databases of all services: what was answered is there once,
numbers, approvals and sums are right. Shares no code with what it judges, but for the layout of tables and messages."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import sqlalchemy as sa

from dealwright.contracts.v1 import events_pb2 as papers
from tests.faults import elsewhere
from tests.faults.check import events, rows
from tests.faults.deals import UNITS, Answered
from tests.faults.tally import Tally, plain

_PENDING = 1
# How a quote and a contract stand when their approval does, by its status: pending, approved, rejected, returned.
_QUOTE = {1: {2}, 2: {3, 5}, 3: {4}, 4: {7}}
_CONTRACT = {1: {2}, 2: {3, 5, 8}, 3: {4}, 4: {7}}
_HOLDS = (5, 8)
_VIP = 500_000 * UNITS


def check_books(databases: dict[str, sa.Engine], answered: Answered) -> Tally:
    tally = Tally(list(answered.wrong), races=answered.races)
    _deals(tally, databases["opportunities"], databases["customers"], answered)
    _told(tally, databases["activities"], answered)
    _numbers(tally, databases, answered)
    _approvals(tally, databases["contracts"], answered)
    _money(tally, databases["contracts"], answered)
    _signed(tally, databases, answered)
    elsewhere.check(tally, databases, answered)
    return tally


def _deals(tally: Tally, on: sa.Engine, customers: sa.Engine, answered: Answered) -> None:
    """Every customer and every move that was answered is there once, and nothing else is."""
    names = {r.name: r.display_name for r in rows(customers, "SELECT name, display_name FROM customers")}
    for name, wanted in answered.customers.items():
        if names.get(name) != wanted:
            tally.says("LOST", f"{name} was answered as {wanted}, and is {names.get(name)}")
    tally.once("TWICE", Counter(names.values()), answered.customers.values())
    opened = rows(on, "SELECT name, title, customer FROM opportunities")
    tally.deals = len(opened)
    tally.once("TWICE", Counter(r.title for r in opened), {r.title for r in opened})
    tally.once(
        "LOST",
        Counter(r.name for r in opened),
        [n for n in answered.numbers.values() if n.startswith("opportunities/")],
    )
    moved = Counter((r.opportunity, r.to_stage) for r in rows(on, "SELECT opportunity, to_stage FROM stage_changes"))
    for move in {*moved, *answered.moves}:
        if move[1] != "first-visit" and moved[move] != answered.moves[move]:
            tally.says("MOVES", f"{move} was made {moved[move]} times, and answered {answered.moves[move]} times")


def _told(tally: Tally, on: sa.Engine, answered: Answered) -> None:
    """Follow-ups and attachments of deals: those that were answered, on their records, each once."""
    found = {
        row.name: row.record
        for table in ("follow_ups", "attachments")
        for row in rows(on, f"SELECT name, record FROM {table} WHERE record LIKE 'opportunities/%'")
    }
    for name in {*found, *answered.told}:
        if found.get(name) != answered.told.get(name):
            tally.says("TOLD", f"{name} is on {found.get(name)}, and was answered on {answered.told.get(name)}")


def _numbers(tally: Tally, databases: dict[str, sa.Engine], answered: Answered) -> None:
    has: dict[str, list[str]] = defaultdict(list)
    for service, table in (("opportunities", "opportunities"), *(("contracts", t) for t in _NUMBERED)):
        for row in rows(databases[service], f"SELECT name, number FROM {table}"):
            has[row.number].append(row.name)
    for number, names in has.items():
        if len(names) > 1:
            tally.says("NUMBER", f"{number} is of {', '.join(names)}")
    for number, name in answered.numbers.items():
        if has.get(number) != [name]:
            tally.says("NUMBER", f"{number} was answered for {name}, and is of {has.get(number)}")


_NUMBERED = ("quotes", "contracts", "invoices")


def _approvals(tally: Tally, on: sa.Engine, answered: Answered) -> None:
    """Each decided once, as it was announced, and what it is about knows; whoever decided is in it, once."""
    found = {r.name: r for r in rows(on, "SELECT name, record, status, steps FROM approvals")}
    tally.approvals = sum(r.status != _PENDING for r in found.values())
    announced: dict[str, list[int]] = defaultdict(list)
    for _, event in events(on, papers.ApprovalDecided):
        announced[event.approval.name].append(event.approval.status)
    stands = {
        r.approval: r.status for table in _NUMBERED[:2] for r in rows(on, f"SELECT approval, status FROM {table}")
    }
    said: Counter[tuple[str, str, str]] = Counter()
    for name, of in found.items():
        if announced[name] != ([of.status] if of.status != _PENDING else []):
            tally.says("DECIDED", f"{name} stands at {of.status}, announced was {announced[name]}")
        fits = _QUOTE if of.record.startswith("quotes/") else _CONTRACT
        if stands.get(name) not in fits[of.status]:
            tally.says("DECIDED", f"{of.record} stands at {stands.get(name)}, its approval {name} at {of.status}")
        for step in plain(of.steps):
            seats = [seat for seat in step["seats"] if seat["verdict"] and not seat["automatic"]]
            said.update((name, seat["person"], seat["verdict"]) for seat in seats)
            if len({seat["person"] for seat in seats}) != len(seats):
                tally.says("SAID TWICE", f"somebody has two seats at {step['node']} of {name}")
    told = Counter((a, p, verdict) for (a, p), verdicts in answered.verdicts.items() for verdict in verdicts)
    for one in {*said, *told}:
        if said[one] != told[one]:
            tally.says("DECISION", f"{one} is kept {said[one]} times, and was answered {told[one]} times")
    for name, record in answered.approvals.items():
        if name not in found or found[name].record != record:
            tally.says("LOST", f"{name} about {record} was answered, and is not there")


def _money(tally: Tally, on: sa.Engine, answered: Answered) -> None:
    """Sums are sums, in the table and in what was announced last; each bank transfer is one payment."""
    contracts = {r.name: r for r in rows(on, "SELECT name, version, amount, invoiced, paid FROM contracts")}
    payments = rows(on, "SELECT name, contract, amount, unmatched, reference, delete_time FROM payments")
    tally.payments, tally.refunds = len(payments), sum(r.amount < 0 for r in payments)
    paid: Counter[str] = Counter()
    matched: Counter[str] = Counter()
    for row in payments:
        if row.delete_time is None:
            paid[row.contract] += row.amount
            matched[row.contract] += row.unmatched
    for row in rows(on, "SELECT contract, paid FROM instalments"):
        matched[row.contract] += row.paid
    invoiced: Counter[str] = Counter()
    for row in rows(on, "SELECT contract, amount FROM invoices WHERE void_time IS NULL AND delete_time IS NULL"):
        invoiced[row.contract] += row.amount
    last = {e.contract.name: e for _, e in sorted(events(on, papers.ContractChanged), key=lambda one: one[1].version)}
    for name, of in contracts.items():
        if not of.paid == paid[name] == matched[name]:
            tally.says("PAID", f"{name} has {of.paid}, payments {paid[name]}, instalments and the rest {matched[name]}")
        if of.invoiced != invoiced[name] or of.invoiced > of.amount:
            tally.says("INVOICED", f"{name} of {of.amount} has {of.invoiced}, its invoices {invoiced[name]}")
        said = last.get(name)
        sums = [_units(said.contract.balance), _units(said.contract.paid), said.version] if said else []
        if sums != [of.amount - paid[name], paid[name], of.version]:
            tally.says("BALANCE", f"{name} was announced with {sums}, has {of.amount} - {paid[name]} at {of.version}")
    for kind, come in ((papers.PaymentReceived, True), (papers.PaymentRefunded, False)):
        heard = Counter(event.payment.name for _, event in events(on, kind))
        tally.once("ANNOUNCED", heard, [r.name for r in payments if (r.amount > 0) is come])
    references = {r.reference: (r.name, r.contract, r.amount) for r in payments}
    for reference in {*references, *answered.payments}:
        if references.get(reference) != answered.payments.get(reference):
            kept, told = references.get(reference), answered.payments.get(reference)
            tally.says("PAYMENT", f"{reference} is {kept}, and was answered as {told}")


def _units(money: Any) -> int:
    return int(money.units) * UNITS + int(money.nanos) // 100_000


def _signed(tally: Tally, databases: dict[str, sa.Engine], answered: Answered) -> None:
    """Signed once; customers' sums are those of their signed contracts, and make VIPs."""
    contracts = rows(databases["contracts"], "SELECT name, customer, amount, status, delete_time FROM contracts")
    holding = [r for r in contracts if r.status in _HOLDS and r.delete_time is None]
    tally.once("SIGNED", Counter(r.name for r in holding), answered.signed)
    heard = Counter(event.contract.name for _, event in events(databases["contracts"], papers.ContractSigned))
    tally.once("SIGNED", heard, answered.signed)
    sums: Counter[str] = Counter()
    for row in holding:
        sums[row.customer] += row.amount
    for row in rows(databases["customers"], "SELECT name, signed_amount, vip FROM customers"):
        tally.vips += bool(row.vip)
        if (row.signed_amount, bool(row.vip)) != (sums[row.name], sums[row.name] > _VIP):
            tally.says("VIP", f"{row.name} has {row.signed_amount}, vip {bool(row.vip)}; signed is {sums[row.name]}")
