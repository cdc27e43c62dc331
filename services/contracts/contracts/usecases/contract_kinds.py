"""What contracts, and what hangs on them, are to the standard methods; and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from chassis import people, records
from chassis.access import Principal, Scope
from chassis.errors import Denied, Invalid, NotFound, Violation
from chassis.paging import Column
from chassis.transaction import Transaction
from contracts.domain.bill import Instalment, Invoice, Payment
from contracts.domain.contract import Contract, ContractChange
from contracts.storage.approvals import sat_on
from contracts.storage.bills import instalments, invoices, payments
from contracts.storage.contracts import contract_changes, contracts
from contracts.storage.tables import people as people_table
from contracts.usecases import parties
from contracts.wire import contract_messages as told
from dealwright.contracts.v1 import contracts_pb2 as pb

_LEADING = ("admin", "manager")


class Unfit(Invalid):
    """What cannot be done as things are; every field that stands in the way is named."""

    code = "FAILED_PRECONDITION"

    def __init__(self, reason: str, violations: Sequence[Violation | tuple[str, str, str]]) -> None:
        super().__init__(violations)
        self.reason = reason


def not_signed(field: str) -> Unfit:
    return Unfit("NOT_SIGNED", [(field, "the contract is not signed", "合同尚未签署")])


def _telling(changed: Callable[[Any, bool], Any]) -> Callable[[Transaction, Any, Any], None]:
    def announce(tx: Transaction, before: Any, after: Any) -> None:
        of = after if after is not None else before
        tx.emit(changed(of, after is None or after.delete_time is not None))

    return announce


def _columns(table: Any, **kinds: str) -> dict[str, Column]:
    """Columns by name: "name", "text", "decimal" or "time"; with a + where lists are sorted by it."""
    return {
        name: Column(table.c[name], kind.rstrip("+"), order=kind.endswith("+"))  # type: ignore[arg-type]
        for name, kind in kinds.items()
    }


_TIMES = {"create_time": "time+", "update_time": "time+"}
_ENUMS = pb.Contract.DESCRIPTOR.enum_types_by_name
_NAMES = ("customer", "contact", "opportunity", "quote", "currency", "owner", "team", "renews", "delivery_date")


def _also(principal: Principal) -> sa.ColumnElement[bool] | None:
    """Whoever has a say in the approval of a contract, or of a change of one, sees it as long as that lasts; who drew
    it up for a deal that others have, as long as he sees that."""
    if not principal.person:
        return None
    asked = sat_on(principal.person)
    changing = sa.select(contract_changes.c.contract).where(contract_changes.c.name.in_(asked))
    mine = parties.drawn_up(principal, contracts)
    return sa.or_(contracts.c.name.in_(asked), contracts.c.name.in_(changing), mine)


CONTRACT = records.Kind(
    resource="contracts",
    word="contract",
    table=contracts,
    type=Contract,
    columns={
        **_columns(contracts, number="name+", title="text", **dict.fromkeys(_NAMES, "name")),
        **_columns(contracts, amount="decimal+", invoiced="decimal", paid="decimal+", **_TIMES),
        **_columns(contracts, sign_date="name+", start_date="name+", expiry_date="name+"),
        "status": Column(contracts.c.status, "enum", _ENUMS["Status"]),
        "finance_mode": Column(contracts.c.finance_mode, "enum", _ENUMS["FinanceMode"]),
    },
    people=people_table,
    also=_also,
    announce=_telling(told.contract_changed),
    shown=told.contract,
    spelt={"currency": "amount"},
)

_STATUS = pb.ContractChange.DESCRIPTOR.enum_types_by_name["Status"]
CHANGE = records.Kind(
    resource="contractChanges",
    word="contract_change",
    table=contract_changes,
    type=ContractChange,
    columns={
        **_columns(contract_changes, contract="name", customer="name", owner="name", **_TIMES),
        "status": Column(contract_changes.c.status, "enum", _STATUS),
    },
    people=people_table,
    parent=("contract", CONTRACT),
    announce=_telling(told.change_changed),
    shown=told.change,
    spelt={"content": "differences"},
)

_DUE = pb.Instalment.DESCRIPTOR.enum_types_by_name["Status"]
INSTALMENT = records.Kind(
    resource="instalments",
    word="instalment",
    table=instalments,
    type=Instalment,
    columns={
        **_columns(instalments, contract="name", customer="name", currency="name", owner="name", title="text"),
        **_columns(instalments, amount="decimal+", paid="decimal", due_date="name+", position="int+"),
        **_columns(instalments, create_time="time+"),
        "status": Column(instalments.c.status, "enum", _DUE),
    },
    people=people_table,
    parent=("contract", CONTRACT),
    announce=_telling(told.instalment_changed),
    shown=told.instalment,
    spelt={"currency": "amount"},
)

INVOICE = records.Kind(
    resource="invoices",
    word="invoice",
    table=invoices,
    type=Invoice,
    columns={
        **_columns(invoices, number="name+", contract="name", customer="name", instalment="name", currency="name"),
        **_columns(invoices, amount="decimal+", issue_date="name+", title="text", owner="name", void_time="time"),
        **_columns(invoices, **_TIMES),
    },
    people=people_table,
    parent=("contract", CONTRACT),
    announce=_telling(told.invoice_changed),
    shown=told.invoice,
    spelt={"currency": "amount"},
)

PAYMENT = records.Kind(
    resource="payments",
    word="payment",
    table=payments,
    type=Payment,
    columns={
        **_columns(payments, contract="name", customer="name", currency="name", owner="name", team="name"),
        **_columns(payments, amount="decimal+", pay_date="name+", method="text", reference="name", unmatched="decimal"),
        **_columns(payments, **_TIMES),
    },
    people=people_table,
    parent=("contract", CONTRACT),
    announce=_telling(told.payment_changed),
    shown=told.payment,
    spelt={"currency": "amount", "received_currency": "received", "given": "shares"},
)


def hold_contract(tx: Transaction, name: str, resource: str, verb: str = "write") -> Contract:
    """The contract that something hangs on, held until the commit: whoever changes what hangs on a contract holds the
    contract first, so that sums stay sums. Raises NotFound for one that the caller may not see, Denied for one that his
    right on `resource` does not cover."""
    mine = sa.select(sa.literal(1)).where(
        contracts.c.name == name, records.criteria(CONTRACT, tx.principal, verb, resource)
    )
    if tx.execute(mine).first() is None:
        records.find(tx, CONTRACT, name)
        raise Denied(f"{resource}.{verb}")
    return locked(tx, name)


def locked(tx: Transaction, name: str) -> Contract:
    """The contract of a record that the caller may write, held. Raises NotFound for one that was deleted."""
    found = records.of_names(tx, CONTRACT, [name], lock=True).get(name)
    if found is None or found.delete_time is not None:
        raise NotFound(name)
    return found


def leads(caller: Principal) -> bool:
    """Whether his right covers more than his own contracts."""
    return bool(caller.peer) or caller.scope("contracts", "write") in (Scope.TEAM, Scope.ALL)


def may_lead(caller: Principal) -> bool:
    return bool(caller.peer) or (leads(caller) and caller.role in _LEADING)


def team_of_owner(tx: Transaction, owner: str, field: str) -> str:
    """The team of who is to own a contract. Raises Invalid for who is not known or has left, Denied for one that the
    caller may not choose: himself, or for who leads, those whose contracts he may write."""
    person = people.find(tx, people_table, owner)
    if person is None or not person.active:
        raise Invalid([(field, f"{owner[:80]} is not known, or has left", f"{owner[:80]} 不存在或已离职")])
    caller = tx.principal
    scope = caller.scope("contracts", "write")
    outside = scope is Scope.TEAM and person.team not in (caller.teams or ("",))
    if owner != caller.person and (not may_lead(caller) or outside):
        raise Denied("contracts.owner.write")
    return person.team
