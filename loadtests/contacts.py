"""Made-up contacts by number: distinct phones, twenty kinds, the same ones on every run."""

from __future__ import annotations

from dataclasses import dataclass

from dealwright.leads.v1 import leads_pb2

REGIONS = ("上海", "广东", "北京", "四川", "湖北")
INDUSTRIES = ("汽车后市场", "机械制造", "物流", "零售")
CATEGORIES = ("轮毂", "机油", "刹车片", "工具")
KINDS = 20
# Odd and no multiple of 5, so that multiplying by it only shuffles the numbers below 10^8: phones of neighbours lie
# far apart in the index, as in life.
_SHUFFLE, _SPAN = 48_271_003, 100_000_000


@dataclass(frozen=True, slots=True)
class Contact:
    """What a booth or a form sends. `kind` decides everything that is not this one contact's own."""

    number: int
    kind: int
    request_id: str
    full_name: str
    phone: str
    email: str
    company: str
    region: str
    industry: str
    category: str
    channel: int
    intent: int
    text: str


def contact(number: int) -> Contact:
    """The contact of this number (0 to 10^8 - 1). Every second has an e-mail, one of twenty is urgent."""
    kind = number % KINDS
    code = f"{(number * _SHUFFLE + 7) % _SPAN:08d}"
    return Contact(
        number=number,
        kind=kind,
        request_id=f"bench-{code}",
        full_name=f"访客{code}",
        phone=f"138{code}",
        email=f"v{code}@example.com" if kind % 2 else "",
        company=f"公司{code}有限公司",
        region=REGIONS[kind % 5],
        industry=INDUSTRIES[kind % 4],
        category=CATEGORIES[kind // 5],
        channel=1 + kind % 8,
        intent=1 + kind % 3,
        text="今天想看样品，请联系" if kind == 7 else "想了解价格和交货期",
    )


def own(contact: Contact) -> dict[str, str]:
    """The texts of the stored records that are this contact's alone, by what they are."""
    code = contact.phone[3:]
    return {"phone": f"+86{contact.phone}", "code": code}


def request(contact: Contact) -> leads_pb2.CaptureLeadRequest:
    """The call that captures it."""
    return leads_pb2.CaptureLeadRequest(
        request_id=contact.request_id,
        lead=leads_pb2.Lead(
            full_name=contact.full_name,
            phone=contact.phone,
            email=contact.email,
            company=contact.company,
            region=contact.region,
            industry=contact.industry,
            category=contact.category,
            channel=contact.channel,  # type: ignore[arg-type]
            intent=contact.intent,  # type: ignore[arg-type]
            text=contact.text,
        ),
    )


def single_body(number: int) -> bytes:
    return request(contact(number)).SerializeToString()


def batch_body(first: int, size: int) -> bytes:
    """One batchCapture of `size` neighbouring numbers."""
    return leads_pb2.BatchCaptureLeadsRequest(
        requests=[request(contact(number)) for number in range(first, first + size)]
    ).SerializeToString()
