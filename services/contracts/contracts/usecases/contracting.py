"""Contracts are drawn up: by hand, from an opportunity, from a quote; and changed while they are drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chassis import custom, people, records
from chassis.access import refuse_read_only
from chassis.errors import Invalid, Refused
from chassis.money import rounded
from chassis.numbers import following
from chassis.transaction import Transaction
from contracts.domain.contract import OPEN, Contract, FinanceMode, Interval, Status
from contracts.domain.quote import OFFERED, units
from contracts.storage import contracts as stored
from contracts.storage.tables import numbers
from contracts.storage.tables import people as people_table
from contracts.usecases import once, parties, planning
from contracts.usecases.contract_kinds import CONTRACT, team_of_owner
from contracts.usecases.quotes import QUOTES
from contracts.usecases.settling import remember

_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("title", "customer", "contact", "opportunity", "quote", "sign_date", "start_date"), ""),
    **dict.fromkeys(("expiry_date", "delivery_date", "approval", "renews", "terms", "status_reason"), ""),
    **dict.fromkeys(("amount", "invoiced", "paid"), 0),
    **dict.fromkeys(("expiry_told", "number", "author"), ""),
    "status": Status.DRAFT.value,
    "version": 1,
    "currency": "CNY",
    "finance_mode": FinanceMode.ONE_OFF.value,
    "interval": Interval.MONTH.value,
    "instalment_count": 2,
    "planned_by_hand": False,
    "custom": None,
    "delete_time": None,
}


def create(tx: Transaction, values: Mapping[str, Any], today: date) -> Contract:
    """Draws up a contract by hand (K1). `values` are those that were given. Raises NOT_OPEN for a deal that is over."""
    refuse_read_only(tx.principal, "contracts", [name for name, value in values.items() if value])
    values = {**values, **_parties(tx, None, values)}
    owner = values.get("owner") or tx.principal.person
    team = team_of_owner(tx, owner, "contract.owner") if owner else ""
    return draw_up(tx, _made(tx, {**values, "owner": owner, "team": team}), today)


def _made(tx: Transaction, values: Mapping[str, Any]) -> Contract:
    wrong = out_of_order(values.get("start_date", ""), values.get("expiry_date", ""))
    if wrong:
        raise Invalid(wrong)
    return Contract(**{**_EMPTY, **values, "name": CONTRACT.new_name(), "create_time": tx.now, "update_time": tx.now})


def draw_up(tx: Transaction, made: Contract, today: date) -> Contract:
    """Stores a new contract with a number and its instalments, with the customer that stands (C20)."""
    party = parties.find(tx, made.customer, hold=True)
    made = replace(made, customer=party.name if party else made.customer)
    made, rows = planning.followed(tx, None, made)
    day = f"{today:%Y%m%d}"
    number = f"C-{day}-{following(tx, numbers, f'C-{day}'):04}"
    made = replace(made, number=number, author=tx.principal.person)
    records.create(tx, CONTRACT, made, {"number": made.number})
    remember(tx, made, 0)
    planning.write(tx, made, rows or [])
    return made


def of_opportunity(tx: Transaction, name: str, said: Mapping[str, Any], today: date) -> Contract:
    """One click (K2): what the opportunity says, the contract says. It is one contract however often it is clicked,
    until somebody works on that. Raises NotFound, NOT_OPEN, CONTRACTED where a quote of it has a contract."""
    found = parties.going_on(tx, parties.alone(tx, parties.deal(tx, name, "contracts")))
    no_other(tx, "opportunity", name)
    amount = found.expected
    values = {
        "title": found.title,
        "customer": found.customer,
        "contact": found.contact,
        "opportunity": found.name,
        "amount": units(rounded(amount.amount, amount.currency)) if amount else 0,
        "currency": found.currency or "CNY",
        **_owned(tx, found.owner),
        **said,
    }
    made = _made(tx, values)
    return once.untouched(tx, CONTRACT, made) or draw_up(tx, made, today)


def of_quote(tx: Transaction, name: str, said: Mapping[str, Any], today: date) -> Contract:
    """One click (Q16): the quote's data flow into the contract. Raises NotFound, Denied for a quote that the caller may
    only see, NOT_APPROVED, CONTRACTED, NOT_OPEN."""
    found = records.hold(tx, QUOTES, name)  # one click at a time
    if found.status not in OFFERED:
        raise Refused("NOT_APPROVED", "This quote is not approved.", "该报价尚未审批通过。")
    no_other(tx, "quote", name)
    values = {
        "title": parties.going_on(tx, parties.find(tx, found.opportunity, hold=True)).title,
        "customer": found.customer,
        "contact": found.contact,
        "opportunity": found.opportunity,
        "quote": found.name,
        "amount": found.total,
        "currency": found.currency,
        "terms": found.terms,
        "custom": found.custom,
        **_owned(tx, found.owner),
        **said,
    }
    return draw_up(tx, _made(tx, values), today)


def _owned(tx: Transaction, owner: str) -> dict[str, str]:
    """The owner of what a contract is made of, or who makes it where that one is not known any more."""
    person = people.find(tx, people_table, owner or tx.principal.person)
    if person is None or not person.active:
        person = people.find(tx, people_table, tx.principal.person)
    return {"owner": person.name, "team": person.team} if person else {"owner": tx.principal.person, "team": ""}


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Contract:
    """Changes fields of a draft; its instalments follow. The company's own fields change key by key."""
    refuse_read_only(tx.principal, "contracts", list(values))
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status not in OPEN:
        raise planning.fixed()
    given = custom.laid(before.custom, values, "contract")
    after = replace(before, **{**given, **_parties(tx, before, given)})
    wrong = out_of_order(after.start_date, after.expiry_date)
    if wrong:
        raise Invalid(wrong)
    after, rows = planning.followed(tx, before, after)
    saved = records.save(tx, CONTRACT, before, after)
    if rows is not None:
        planning.write(tx, saved, rows)
    return saved


def delete(tx: Transaction, name: str, etag: str) -> Contract:
    """A draft goes, and may come back for 30 days."""
    if records.find(tx, CONTRACT, name).status not in OPEN:
        records.hold(tx, CONTRACT, name, etag, "delete")  # who may not is told that first
        raise planning.fixed()
    return records.delete(tx, CONTRACT, name, etag)


def undelete(tx: Transaction, name: str) -> Contract:
    """A draft comes back. Raises CONTRACTED, RENEWED where another took its place, which is looked for as when one is
    drawn up: while nobody else can."""
    seen = records.find(tx, CONTRACT, name, deleted=True)
    records.of_names(tx, QUOTES, [seen.quote], lock=True)
    records.of_names(tx, CONTRACT, [seen.renews], lock=True)
    gone = records.hold(tx, CONTRACT, name, verb="delete", deleted=True)
    for column in ("quote", "renews"):
        value = getattr(gone, column)
        if value and gone.delete_time is not None:
            no_other(tx, column, value)
    return records.undelete(tx, CONTRACT, name)


_TAKEN = {
    "quote": ("CONTRACTED", "This quote has a contract: {}.", "该报价已生成合同：{}。"),
    "renews": ("RENEWED", "It has a renewal that stands: {}.", "该合同已有续签合同：{}。"),
    "opportunity": (
        "CONTRACTED",
        "A quote of this opportunity has a contract: {}. One for something else is made by POST /v1/contracts.",
        "该商机的报价已生成合同：{}。其他事项的合同请用 POST /v1/contracts 新建。",
    ),
}


def no_other(tx: Transaction, column: str, value: str) -> None:
    """Raises where a contract stands already that is made of this quote, renews this contract, or is made of a quote of
    this opportunity. The caller holds that one, so that there is none a moment later."""
    standing = stored.standing(tx, column, value)
    if standing:
        reason, english, chinese = _TAKEN[column]
        raise Refused(reason, english.format(", ".join(standing)), chinese.format("、".join(standing)))


def _parties(tx: Transaction, before: Contract | None, given: Mapping[str, Any]) -> dict[str, str]:
    """Whom a contract is with and what it is of, as they go together: without a customer it is the opportunity's.
    Raises Unseen for what the caller names anew and may not see, Invalid for what does not go together."""
    names = {
        field: str(given.get(field, getattr(before, field, "")) or "")
        for field in ("customer", "contact", "opportunity")
    }
    anew = {field: name for field, name in names.items() if name != getattr(before, field, "")}
    if not anew:
        return names
    parties.seen(tx, "contract", anew)
    known = parties.find_all(tx, list(names.values()), hold=True)
    deal, contact, buyer = (known.get(names[field]) for field in ("opportunity", "contact", "customer"))
    names["customer"] = buyer.name if buyer else names["customer"]
    if anew.get("opportunity"):
        parties.going_on(tx, deal)
    if before is None and deal is not None:
        names["customer"] = names["customer"] or deal.customer
    customer = names["customer"]
    wrong: list[tuple[str, str, str]] = []
    if customer and deal is not None and deal.customer != customer:
        wrong.append(("contract.customer", "is not the opportunity's customer", "与商机的客户不一致"))
    if customer and contact is not None and contact.customer != customer:
        wrong.append(("contract.contact", "is a contact of another customer", "该联系人属于其他客户"))
    if wrong:
        raise Invalid(wrong)
    return names


def out_of_order(start: str, expiry: str, field: str = "contract.expiry_date") -> list[tuple[str, str, str]]:
    """What is wrong with an expiry before the start."""
    if start and expiry and expiry < start:
        return [(field, "must not be before the start", "到期日期不能早于开始日期")]
    return []
