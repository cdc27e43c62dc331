"""What the gateway listens to: everything that clients watch goes on one Redis stream, which every pod reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import redis
from google.protobuf.message import Message

from chassis.bus.subscriptions import subscriber
from chassis.cache import client
from chassis.transaction import Transaction
from dealwright.activities.v1.events_pb2 import Notified
from dealwright.contracts.v1.events_pb2 import QuoteOpened
from dealwright.directory.v1.events_pb2 import PersonChanged, PresenceChanged, RoleChanged, SessionsEnded, TeamChanged
from dealwright.leads.v1.events_pb2 import (
    LeadAssigned,
    LeadContacted,
    LeadDeleted,
    LeadDisqualified,
    LeadEscalated,
    LeadKept,
    LeadQualified,
    LeadReleased,
    LeadRemoved,
    LeadTouched,
    LeadUnassigned,
    LeadUndeleted,
)
from dealwright.reports.v1.events_pb2 import FiguresChanged
from dealwright.rules.v1.events_pb2 import ActionRequested, PolicyPublished
from gateway.settings import GatewaySettings
from gateway.usecases import copies, stream
from gateway.usecases.stream import Outline

_RESPONSE = "responseMinutes"


@cache
def _settings() -> GatewaySettings:
    return GatewaySettings()


@cache
def _store() -> redis.Redis:
    return client(_settings().redis_url)


@subscriber(PersonChanged, batch=256)
def keep_people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    copies.keep_people(tx, [(event.person.name, event.person.team, event.version) for event in events])


@subscriber(PersonChanged, SessionsEnded, RoleChanged, TeamChanged, batch=256)
def sessions(tx: Transaction, events: Sequence[Message]) -> None:
    """Whoever left, signed out, or has another role or team is looked at anew in every pod; everybody is where a role
    or a team changed."""
    people = [person for event in events if (person := _whose(event))]
    named = people if len(people) == len(events) else []
    stream.doubt(tx, named, _store(), _settings().feed_stream, _settings().feed_length)


def _whose(event: Any) -> str:
    if isinstance(event, PersonChanged):
        return event.person.name
    return event.person if isinstance(event, SessionsEnded) else ""


@subscriber(PolicyPublished)
def keep_terms(tx: Transaction, event: PolicyPublished) -> None:
    """A policy's first-response time, which the notice of a new lead repeats."""
    content: Any = event.policy.content
    clocks = content["clocks"] if "clocks" in content else content  # noqa: SIM401 - a Struct has no get
    minutes = clocks[_RESPONSE] if _RESPONSE in clocks else None  # noqa: SIM401
    if isinstance(minutes, float) and minutes >= 1:
        copies.keep_response_time(tx, int(minutes), event.policy.version)


@subscriber(
    LeadAssigned,
    LeadKept,
    LeadUnassigned,
    LeadTouched,
    LeadContacted,
    LeadReleased,
    LeadQualified,
    LeadDisqualified,
    LeadEscalated,
    LeadDeleted,
    LeadUndeleted,
    LeadRemoved,
    FiguresChanged,
    PresenceChanged,
    ActionRequested,
    QuoteOpened,
    Notified,
    batch=256,
)
def feed(tx: Transaction, events: Sequence[Message]) -> None:
    """Puts the events on the stream before the commit: a crash between the two delivers again, and the stream
    remembers what it has."""
    notice = stream.response_notice(copies.response_minutes(tx))
    outlines = [o for e in events if (o := _OUTLINES[e.DESCRIPTOR.name](e, notice)) is not None]
    if outlines:
        stream.publish(tx, outlines, _store(), _settings().feed_stream, _settings().feed_length)


def _assigned(event: LeadAssigned, notice: tuple[str, str]) -> Outline:
    return Outline(event, "leads", (event.owner, event.previous_owner), *notice)


def _owned(event: Any, notice: tuple[str, str]) -> Outline:
    return Outline(event, "leads", (event.owner,))


def _qualified(event: LeadQualified, notice: tuple[str, str]) -> Outline:
    """Without the contact, which not everybody who watches the lead may see."""
    bare = LeadQualified(lead=event.lead, owner=event.owner, owner_version=event.owner_version)
    return Outline(bare, "leads", (event.owner,))


def _touched(event: LeadTouched, notice: tuple[str, str]) -> Outline:
    """Its owner is told that the customer came back; what nobody owns is told to those who see such leads. Without what
    was said, which not everybody may see."""
    zh = "您的客户再次联系了我们，请及时跟进"
    bare = LeadTouched()
    bare.CopyFrom(event)
    bare.ClearField("text")
    return Outline(bare, "leads", (event.owner,), zh, "Your customer got in touch again; please follow up")


def _escalated(event: LeadEscalated, notice: tuple[str, str]) -> Outline:
    return Outline(
        event,
        "leads",
        (event.manager, event.owner),
        "有线索超时未联系，已升级给您处理",
        "A lead was not contacted in time and was escalated to you",
    )


def _asked(event: ActionRequested, notice: tuple[str, str]) -> Outline | None:
    if event.action != "NOTIFY":
        return None  # the others are for the service that carries them out: its own events tell what came of them
    resource = event.subject.partition("/")[0]
    return Outline(event, resource, (event.person,), event.text_zh or event.text_en, event.text_en or event.text_zh)


def _opened(event: QuoteOpened, notice: tuple[str, str]) -> Outline | None:
    """Its owner, the first time; without prices, which not everybody who sees the quote may see."""
    if not event.first:
        return None
    of = event.quote
    bare = QuoteOpened(first=True, open_time=event.open_time)
    bare.quote.MergeFrom(type(of)(name=of.name, number=of.number, revision=of.revision, owner=of.owner))
    texts = f"客户刚刚打开了报价 {of.number}", f"The customer has just opened quote {of.number}"
    return Outline(bare, "quotes", (of.owner,), *texts)


def _notified(event: Notified, notice: tuple[str, str]) -> Outline:
    bare = Notified()
    bare.CopyFrom(event)
    bare.ClearField("title_zh")
    bare.ClearField("title_en")
    zh, en = event.title_zh or event.title_en, event.title_en or event.title_zh
    return Outline(bare, stream.PERSONAL, (event.person,), zh, en)


def _figures(event: FiguresChanged, notice: tuple[str, str]) -> Outline:
    """Whoever may see one of the records hears that figures changed; whose those are is told nobody."""
    bare = FiguresChanged()
    bare.CopyFrom(event)
    bare.ClearField("holders")
    whose = [one for one in event.holders if one]
    return Outline(bare, event.resource, whose, verb=event.verb or "read", nobodys="" in event.holders)


_OUTLINES: Mapping[str, Callable[[Any, tuple[str, str]], Outline | None]] = {
    "LeadAssigned": _assigned,
    "LeadUnassigned": lambda event, notice: Outline(event, "leads", ()),
    "LeadTouched": _touched,
    "QuoteOpened": _opened,
    "Notified": _notified,
    "LeadKept": _owned,
    "LeadContacted": _owned,
    "LeadReleased": lambda event, notice: Outline(event, "leads", (event.previous_owner,)),
    "LeadQualified": _qualified,
    "LeadDisqualified": _owned,
    "LeadEscalated": _escalated,
    "LeadDeleted": _owned,
    "LeadUndeleted": _owned,
    "LeadRemoved": _owned,
    "PresenceChanged": lambda event, notice: Outline(event, "people", (event.person,)),
    "ActionRequested": _asked,
    "FiguresChanged": _figures,
}
