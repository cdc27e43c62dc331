"""What channels cost, read and shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from google.type.money_pb2 import Money

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from chassis.messages import read_amount
from dealwright.leads.v1.leads_pb2 import Channel
from dealwright.reports.v1 import costs_pb2 as pb
from reports.domain.cost import ChannelCost
from reports.wire.messages import money
from reports.wire.papers import day

GIVEN = ("channel", "month", "amount", "note")
CHANGEABLE = ("amount", "note")


def read(message: pb.ChannelCost, named: Sequence[str]) -> dict[str, Any]:
    """The values of these fields by column. Raises Invalid, naming each that is wrong."""
    check = FieldCheck()
    found: dict[str, Any] = {}
    for name in named:
        value = check.take(f"channel_cost.{name}", _READ[name], getattr(message, name))
        if name == "amount":
            found["amount"], found["currency"] = value or (0, "")
        else:
            found[name] = value
    if check.violations:
        raise Invalid(check.violations)
    return found


def cost(of: ChannelCost) -> pb.ChannelCost:
    found = pb.ChannelCost(
        name=of.name,
        channel=Channel.Value(of.channel),
        month=of.month,
        amount=money(of.amount, of.currency),
        note=of.note,
        etag=str(of.version),
    )
    found.create_time.FromDatetime(of.create_time)
    found.update_time.FromDatetime(of.update_time)
    if of.delete_time is not None:
        found.delete_time.FromDatetime(of.delete_time)
    return found


def said(of: ChannelCost, gone: bool) -> dict[str, Any]:
    """What it tells the figures; `gone`: for good."""
    return {
        "version": of.version + gone,
        "deleted": gone or of.delete_time is not None,
        "channel": of.channel,
        "time": day(f"{of.month}-01"),
        "end": day(_after(of.month)),
        "amount": of.amount,
        "currency": of.currency,
    }


def _after(month: str) -> str:
    """The first day after it."""
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02}-01"


def _channel(value: int) -> str:
    if not value or value not in Channel.values():
        raise FieldProblem("must be a channel of leads", "须为线索渠道")
    return str(Channel.Name(value))  # type: ignore[arg-type]


def _month(text: str) -> str:
    if not re.fullmatch(r"(19|20)\d{2}-(0[1-9]|1[0-2])", text, re.ASCII):
        raise FieldProblem("must be a month: 2026-11", "须为月份，如 2026-11")
    return text


def _amount(value: Money) -> tuple[int, str]:
    found = read_amount(value)
    if not found.amount:
        raise FieldProblem("must be above 0", "须大于 0")
    return found.units, found.currency


_READ: dict[str, Any] = {
    "channel": _channel,
    "month": _month,
    "amount": _amount,
    "note": lambda value: fields.text(value, 500, multiline=True),
}
