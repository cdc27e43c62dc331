"""Rows of a sheet as records of other services: what they hold, and whom they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from chassis.fields import FieldProblem
from dealwright.activities.v1 import activities_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.opportunities.v1 import opportunities_pb2
from leads.domain.imports import ImportKind
from leads.wire import cells

Wrong = list[tuple[str, str, str]]
_MESSAGES: Mapping[int, Any] = {
    ImportKind.CUSTOMERS: customers_pb2.Customer,
    ImportKind.CONTACTS: customers_pb2.Contact,
    ImportKind.OPPORTUNITIES: opportunities_pb2.Opportunity,
    ImportKind.FOLLOW_UPS: activities_pb2.FollowUp,
}
# Columns that name another record; whom they mean, its own service says.
REFERENCES = ("customer", "customerPhone", "customerLicence", "opportunity", "leadPhone", "owner")
_CURRENCY = "CNY"


@dataclass(slots=True)
class Row:
    """One row: its number, the record as far as it can be said here, the texts that name others, what is wrong."""

    number: int
    message: Any
    names: dict[str, str] = field(default_factory=dict)
    wrong: Wrong = field(default_factory=list)


def _chosen(known: Mapping[int, str], english: str, chinese: str) -> Callable[[str], Any]:
    return cells.chosen_from(known, english, chinese)


_C, _T = customers_pb2.Customer, customers_pb2.Contact
_F = activities_pb2.FollowUp
TIERS: Mapping[int, str] = {_C.A: "a a级 vip", _C.B: "b b级", _C.C: "c c级"}
_tier = _chosen(TIERS, "tier", "客户等级")
STAGES: Mapping[int, str] = {
    _C.LEAD: "线索 lead",
    _C.INTENT: "意向 intent",
    _C.QUOTED: "报价 已报价 quoted",
    _C.WON: "成交 赢单 won",
}
_stage = _chosen(STAGES, "stage", "客户阶段")
ROLES: Mapping[int, str] = {
    _T.DECISION_MAKER: "决策人 决策者 decision-maker",
    _T.INFLUENCER: "影响人 影响者 influencer",
    _T.USER: "使用人 使用者 user",
}
_role = _chosen(ROLES, "decision role", "决策角色")
IMPORTANCES: Mapping[int, str] = {1: "普通 一般 normal", 2: "重要 important"}
_importance = _chosen(IMPORTANCES, "importance", "重要程度")
METHODS: Mapping[int, str] = {
    _F.CALL: "电话 通话 call phone",
    _F.VISIT: "拜访 上门 visit",
    _F.MAIL: "邮件 mail email",
    _F.MESSAGE: "微信 短信 消息 message wechat",
    _F.MEETING: "会议 meeting",
    _F.OTHER: "其他 其它 other",
}
_method = _chosen(METHODS, "method", "跟进方式")
OUTCOMES: Mapping[int, str] = {
    _F.PAID: "付款 已付款 成交 paid",
    _F.REVISIT: "回访 待回访 revisit",
    _F.REFUSED: "拒绝 refused",
    _F.REFERRAL: "转介绍 referral",
    _F.NOT_REACHED: "未接通 未联系上 not-reached",
    _F.PROGRESS: "有进展 推进中 progress",
}
_outcome = _chosen(OUTCOMES, "outcome", "跟进结果")


def money(value: Decimal, currency: str) -> Money:
    units = int(value)
    return Money(currency_code=currency or _CURRENCY, units=units, nanos=int((value - units) * 1_000_000_000))


class RecordRows:
    """What the columns of one sheet mean. `columns` are {"header", "field"} in the order of the cells."""

    def __init__(self, kind: int, columns: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
        self._make, self._zone = _MESSAGES[kind], zone
        self._columns = [(i, str(c["header"]), str(c["field"])) for i, c in enumerate(columns) if c["field"]]
        self.headers = {name: header for _, header, name in self._columns}

    def read(self, number: int, row: Sequence[str]) -> Row:
        made = Row(number, self._make())
        amounts: dict[str, Decimal] = {}
        for index, header, name in self._columns:
            text = row[index] if index < len(row) else ""
            if not text:
                continue
            try:
                if name in REFERENCES:
                    made.names[name] = text
                elif name in ("amount", "budget"):
                    amounts[name] = cells.amount(text)
                elif name == "currency":
                    made.names[name] = text.upper()[:3]
                else:
                    self._put(made.message, name, text)
            except FieldProblem as problem:
                made.wrong.append((header, problem.english, problem.chinese))
        for name, value in amounts.items():
            getattr(made.message, name).CopyFrom(money(value, made.names.get("currency", "")))
        return made

    def _put(self, message: Any, name: str, text: str) -> None:
        head, _, key = name.partition(".")
        if head == "custom":
            message.custom[key] = text
        elif head == "externalIds":
            message.external_ids[key] = text
        elif name in ("tags", "products"):
            getattr(message, name).extend(cells.labels(text))
        elif name == "stage" and self._make is not customers_pb2.Customer:
            message.stage = text
        elif name in _CHOICES:
            setattr(message, _snake(name), _CHOICES[name](text))
        elif name in ("employees", "winProbability"):
            setattr(message, _snake(name), cells.whole(text))
        elif name == "expectedCloseDate":
            message.expected_close_date = cells.day(text, self._zone)
        elif name in ("happenTime", "nextTime", "openTime", "closeTime"):
            stamp = Timestamp()
            stamp.FromDatetime(cells.moment(text, self._zone))
            getattr(message, _snake(name)).CopyFrom(stamp)
        else:
            setattr(message, _snake(name), text)


_CHOICES: Mapping[str, Callable[[str], Any]] = {
    "channel": cells.channel,
    "tier": _tier,
    "stage": _stage,
    "decisionRole": _role,
    "importance": _importance,
    "method": _method,
    "outcome": _outcome,
}


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def header_of(headers: Mapping[str, str], path: str) -> str:
    """The header of the column that a service's field ("customer.display_name") came from; the field's name without
    one."""
    head, *rest = path.split(".")
    name = rest[0] if rest else head
    parts = name.split("_")
    camel = parts[0] + "".join(part.title() for part in parts[1:])
    return headers.get(camel, camel)
