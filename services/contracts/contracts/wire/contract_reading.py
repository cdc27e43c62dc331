"""Requests about contracts and what is paid on them: which fields, and their values as they are kept, all that is wrong
named at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from google.type.money_pb2 import Money as MoneyMessage

from chassis import custom, fields, records
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from chassis.messages import read_amount
from chassis.money import Money
from contracts.domain.contract import FinanceMode, Interval
from contracts.domain.plan import MOST
from dealwright.contracts.v1 import contracts_pb2 as pb

LONGEST_REQUEST_ID = 128
LONGEST_REASON = 2000
LONGEST_TERMS = 20_000
_PERSON = re.compile(r"people/[A-Za-z0-9_-]{1,64}")
_TAX_NUMBER = re.compile(r"[0-9A-Z]{15,20}")
Reader = Callable[[Any], Any]


def text(longest: int, multiline: bool = False, required: bool = False) -> Reader:
    return lambda value: fields.text(value, longest, multiline=multiline, required=required)


def named(collection: str, required: bool = False) -> Reader:
    pattern = re.compile(rf"{collection}/[0-9a-f]{{32}}")

    def read(value: str) -> str:
        if required and not value:
            raise FieldProblem("is required", "必填")
        if value and not pattern.fullmatch(value):
            raise FieldProblem(f'must be "{collection}/..."', f"须为 “{collection}/…”")
        return value

    return read


def day(value: str) -> str:
    """ISO text, or empty. Raises FieldProblem."""
    if not value:
        return ""
    try:
        found = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) else None
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2100:
        raise FieldProblem(
            "must be a day such as 2026-10-01, from 2000 to 2100", "须为 2000 至 2100 年间的日期，如 2026-10-01"
        )
    return found.isoformat()


def _owner(value: str) -> str:
    if value and not _PERSON.fullmatch(value):
        raise FieldProblem('must be "people/..."', "须为 “people/…”")
    return value


def _one_of(kind: type[FinanceMode] | type[Interval], word: str, chinese: str) -> Reader:
    def read(value: int) -> int:
        if value and value not in kind._value2member_map_:
            raise FieldProblem(f"{value} is no {word}", f"{value} 不是有效的{chinese}")
        return value or 1

    return read


def _count(value: int) -> int:
    if not 0 <= value <= MOST:
        raise FieldProblem(f"must lie from 1 to {MOST}", f"须在 1 至 {MOST} 之间")
    return value or 2


def _tax_number(value: str) -> str:
    found = fields.text(value, 40).upper()
    if found and not _TAX_NUMBER.fullmatch(found):
        raise FieldProblem("must be 15 to 20 digits and capitals", "须为 15 至 20 位数字或大写字母")
    return found


_CONTRACT: Mapping[str, Reader] = {
    "title": text(200),
    "customer": named("customers"),
    "contact": named("contacts"),
    "finance_mode": _one_of(FinanceMode, "finance mode", "收款方式"),
    "interval": _one_of(Interval, "interval", "间隔"),
    "instalment_count": _count,
    "start_date": day,
    "expiry_date": day,
    "terms": text(LONGEST_TERMS, multiline=True),
}
_CREATED: Mapping[str, Reader] = {"opportunity": named("opportunities"), "owner": _owner}
CHANGEABLE = (*_CONTRACT, "amount", "custom")
CREATED = (*CHANGEABLE, *_CREATED)
SAID = ("title", "terms", "finance_mode", "interval", "instalment_count", "start_date", "expiry_date")
AMENDABLE = ("amount", "title", "terms", "start_date", "expiry_date")

_INVOICE: Mapping[str, Reader] = {
    "contract": named("contracts", required=True),
    "instalment": named("instalments"),
    "number": text(64),
    "issue_date": day,
    "title": text(200),
    "tax_number": _tax_number,
}
_PAYMENT: Mapping[str, Reader] = {
    "contract": named("contracts", required=True),
    "pay_date": day,
    "method": text(64),
    "reference": text(128),
    "note": text(LONGEST_REASON, multiline=True),
}
INVOICE_CHANGEABLE = ("title", "tax_number")
PAYMENT_CHANGEABLE = ("pay_date", "method", "note")
INSTALMENT_CHANGEABLE = ("title", "due_date")
_INSTALMENT: Mapping[str, Reader] = {"title": text(200, required=True), "due_date": day}


def checked(request: Any, check: FieldCheck | None = None) -> str:
    """The reason, normalised, where the request has one. Raises Invalid for all that `check` found, too."""
    found = check or FieldCheck()
    if request.request_id:
        found.take("request_id", fields.text, request.request_id, LONGEST_REQUEST_ID)
    reason = found.take("reason", fields.text, getattr(request, "reason", ""), LONGEST_REASON, multiline=True) or ""
    if found.violations:
        raise Invalid(found.violations)
    return reason


def paths(request: Any, message: Any, changeable: Sequence[str]) -> list[str]:
    """The fields that an update changes. Raises Invalid."""
    return records.paths(request.update_mask.paths, message, changeable)


def contract(message: pb.Contract, named: Sequence[str], check: FieldCheck) -> dict[str, Any]:
    """The values of these fields by the names of the columns; "custom.key" stays as it is, with None for a key that is
    to go."""
    found: dict[str, Any] = {}
    for name in named:
        if name == "amount":
            read = amount(message, "contract", check)
            found.update(amount=read.units if read else 0, currency=read.currency if read else "CNY")
        elif name == "custom" or name.startswith("custom."):
            given = check.take("contract.custom", custom.values, message.custom)
            key = name.partition(".")[2]
            found[name] = (given or {}).get(key) if key else given or None
        else:
            reader = _CONTRACT.get(name) or _CREATED[name]
            found[name] = check.take(f"contract.{name}", reader, getattr(message, name))
    return found


def amount(message: Any, prefix: str, check: FieldCheck, name: str = "amount", signed: bool = False) -> Money | None:
    """The money in a field, None where it is not set or wrong."""
    return (
        money(getattr(message, name), f"{prefix}.{name}" if prefix else name, check, signed)
        if (message.HasField(name))
        else None
    )


def money(given: MoneyMessage, path: str, check: FieldCheck, signed: bool = False) -> Money | None:
    return check.take(path, read_amount, given, signed)


def _plain(message: Any, prefix: str, readers: Mapping[str, Reader], names: Sequence[str], check: FieldCheck) -> Any:
    return {name: check.take(f"{prefix}.{name}", readers[name], getattr(message, name)) for name in names}


def invoice(message: pb.Invoice, named: Sequence[str], check: FieldCheck) -> dict[str, Any]:
    return dict(_plain(message, "invoice", _INVOICE, named, check))


def payment(message: pb.Payment, named: Sequence[str], check: FieldCheck) -> dict[str, Any]:
    return dict(_plain(message, "payment", _PAYMENT, named, check))


def instalment(message: pb.Instalment, named: Sequence[str], check: FieldCheck) -> dict[str, Any]:
    return dict(_plain(message, "instalment", _INSTALMENT, named, check))


INVOICE_CREATED, PAYMENT_CREATED = tuple(_INVOICE), tuple(_PAYMENT)


def shares(message: pb.Payment, check: FieldCheck) -> list[tuple[str, Money]]:
    """What somebody says that a payment pays. Each instalment once."""
    found: list[tuple[str, Money]] = []
    if len(message.shares) > MOST:
        check.refuse("payment.shares", f"at most {MOST}", f"最多 {MOST} 个")
        return found
    for place, share in enumerate(message.shares):
        path = f"payment.shares[{place}]"
        name = check.take(f"{path}.instalment", named("instalments", required=True), share.instalment)
        given = money(share.amount, f"{path}.amount", check, signed=True)
        if name and given:
            found.append((name, given))
    if len({name for name, _ in found}) < len(found):
        check.refuse("payment.shares", "has an instalment twice", "同一期款重复出现")
    return found


def plan(given: Sequence[pb.Instalment], check: FieldCheck) -> list[tuple[str, Money, str]]:
    """Instalments as somebody writes them: (title, amount, due date)."""
    found: list[tuple[str, Money, str]] = []
    if len(given) > MOST:
        check.refuse("instalments", f"at most {MOST}", f"最多 {MOST} 期")
        return found
    for place, one in enumerate(given):
        path = f"instalments[{place}]"
        title = check.take(f"{path}.title", text(200), one.title)
        due = check.take(f"{path}.due_date", day, one.due_date)
        cost = money(one.amount, f"{path}.amount", check)
        if cost is not None and not cost.amount:
            check.refuse(f"{path}.amount", "must be above zero", "必须大于零")
        if cost is not None and title is not None and due is not None:
            found.append((title, cost, due))
    return found
