"""Sheets to fill in: the columns of a kind of import, and one row as an example."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leads.domain import headers
from leads.domain.imports import ImportKind


class Need(enum.IntEnum):
    REQUIRED = 0
    # At least one of all columns that are so.
    ONE_OF = 1
    FREE = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet to fill in: the field it stands for, its header, its cell in the example row."""

    field: str
    header: str
    need: Need
    example: str


_REQUIRED: Mapping[ImportKind, Sequence[str]] = {
    ImportKind.LEADS: (),
    ImportKind.CUSTOMERS: ("displayName",),
    ImportKind.CONTACTS: ("fullName",),
    ImportKind.OPPORTUNITIES: ("title",),
    ImportKind.FOLLOW_UPS: (),
}
_CUSTOMER = ("customer", "customerPhone", "customerLicence")
_ONE_OF: Mapping[ImportKind, Sequence[str]] = {
    ImportKind.LEADS: ("phone", "email"),
    ImportKind.CUSTOMERS: (),
    ImportKind.CONTACTS: _CUSTOMER,
    ImportKind.OPPORTUNITIES: (),
    ImportKind.FOLLOW_UPS: (*_CUSTOMER, "opportunity", "leadPhone"),
}
_COMPANY = ("示例科技有限公司", "Example Technology Ltd")
_TITLE = ("采购经理", "Purchasing manager")
_SHOW = ("展会", "Trade show")
# Chinese and English. What a company has to have set up first (owners, pipelines, stages) stays empty.
_EXAMPLES: Mapping[ImportKind, Mapping[str, tuple[str, str]]] = {
    ImportKind.LEADS: {
        "fullName": ("王小明", "Wang Xiaoming"),
        "phone": ("13800138000", "13800138000"),
        "email": ("wang@example.com", "wang@example.com"),
        "company": _COMPANY,
        "industry": ("制造业", "Manufacturing"),
        "region": ("上海", "Shanghai"),
        "tags": ("重点、年度", "key, yearly"),
        "category": ("软件", "Software"),
        "channel": _SHOW,
        "intent": ("高", "High"),
        "text": ("希望下周看演示", "Would like a demonstration next week"),
    },
    ImportKind.CUSTOMERS: {
        "displayName": _COMPANY,
        "phone": ("02162345678", "02162345678"),
        "email": ("info@example.com", "info@example.com"),
        "industry": ("制造业", "Manufacturing"),
        "region": ("上海", "Shanghai"),
        "tags": ("重点、年度", "key, yearly"),
        "employees": ("120", "120"),
        "channel": _SHOW,
        "address": ("上海市示例路 1 号", "1 Example Road, Shanghai"),
        "tier": ("B", "B"),
        "stage": ("意向", "Intent"),
    },
    ImportKind.CONTACTS: {
        "customer": _COMPANY,
        "fullName": ("王小明", "Wang Xiaoming"),
        "title": _TITLE,
        "phone": ("13800138000", "13800138000"),
        "email": ("wang@example.com", "wang@example.com"),
        "decisionRole": ("决策人", "Decision maker"),
    },
    # Its customer is found by the phone, and may be missing.
    ImportKind.OPPORTUNITIES: {
        "title": ("年度采购", "Yearly purchase"),
        "phone": ("02162345678", "02162345678"),
        "amount": ("120000", "120000"),
        "currency": ("CNY", "CNY"),
        "winProbability": ("50%", "50%"),
        "need": ("50 套软件及培训", "50 licences and training"),
        "budget": ("150000", "150000"),
        "decisionCycle": ("三个月", "3 months"),
        "blocker": ("等待预算审批", "Waits for the budget"),
        "importance": ("重要", "Important"),
        "position": _TITLE,
        "source": _SHOW,
        "industry": ("制造业", "Manufacturing"),
        "companySize": ("100-499", "100-499"),
    },
    ImportKind.FOLLOW_UPS: {
        "customer": _COMPANY,
        "method": ("电话", "Call"),
        "outcome": ("有进展", "Progress"),
        "summary": ("确认了需求，等报价", "Agreed on what is needed, waits for a quote"),
        "nextPlan": ("发送报价", "Send the quote"),
    },
}
# Field to days from today: what has happened lies before now, what is expected after it, in any time zone.
_DAYS = {"captureTime": -2, "happenTime": -2, "nextTime": 7, "expectedCloseDate": 30}


def columns(kind: ImportKind, language: str, now: datetime) -> list[Column]:
    """All columns of such a sheet, the required ones first; headers and example in "zh" or "en"."""
    found = [
        Column(field, headers.header(kind, field, language), _need(kind, field), _example(kind, field, language, now))
        for field in headers.fields(kind)
    ]
    return sorted(found, key=lambda column: column.need)


def _need(kind: ImportKind, field: str) -> Need:
    if field in _REQUIRED[kind]:
        return Need.REQUIRED
    return Need.ONE_OF if field in _ONE_OF[kind] else Need.FREE


def _example(kind: ImportKind, field: str, language: str, now: datetime) -> str:
    if field in _DAYS:
        return (now + timedelta(days=_DAYS[field])).date().isoformat()
    return _EXAMPLES[kind].get(field, ("", ""))[language == "en"]
