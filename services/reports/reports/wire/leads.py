"""What leads, and those who work on them, tell."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.transaction import Cause
from dealwright.activities.v1.events_pb2 import FollowUpChanged
from dealwright.leads.v1 import events_pb2 as events
from dealwright.leads.v1.leads_pb2 import Channel, Lead
from reports.domain import lead as domain
from reports.domain.folding import News
from reports.wire.news import blank, micros, news

EVENTS: tuple[type[Message], ...] = (
    events.LeadCaptured,
    events.LeadChanged,
    events.LeadAssigned,
    events.LeadUnassigned,
    events.LeadContacted,
    events.LeadReleased,
    events.LeadQualified,
    events.LeadDisqualified,
    events.LeadDeleted,
    events.LeadUndeleted,
    events.LeadRemoved,
    FollowUpChanged,
)


def told(event: Message, cause: Cause) -> list[News]:
    """News of leads. Their order is told by the owner's version and by when `leads` announced them: what happened at a
    show may be hours older."""
    if isinstance(event, FollowUpChanged):
        follow_up = event.follow_up
        time = 0 if event.deleted else micros(follow_up.happen_time)
        touched = {"follow_up": follow_up.name, "version": event.version, "time": time}
        return [news(cause, follow_up.lead, "touched", touched)] if follow_up.lead else []
    if isinstance(event, events.LeadChanged):
        return [_said(event.lead, event.lead.name, event.version, cause)]
    if isinstance(event, events.LeadCaptured):
        return [_said(event, event.lead, 0, cause), news(cause, event.lead, "waiting", _at(event, cause))]
    if isinstance(event, events.LeadUnassigned):
        return [news(cause, event.lead, "unassigned", {"version": event.owner_version})]
    if isinstance(event, events.LeadAssigned):
        return [
            _began(event.lead, event.owner_version, event.owner, event.how, micros(event.assign_time), cause),
            _stands(event, domain.ASSIGNED, cause),
        ]
    if isinstance(event, events.LeadContacted):
        contact = _contacted(event, micros(event.happen_time), cause)
        return [contact, _stands(event, domain.CONTACTED, cause)] if event.first else [contact]
    if isinstance(event, events.LeadQualified):  # who finds out that it is business has answered
        answered = _contacted(event, micros(cause.envelope.time), cause)
        return [answered, _stands(event, domain.QUALIFIED, cause)]
    if isinstance(event, events.LeadDisqualified):
        return [_stands(event, domain.DISQUALIFIED, cause, event.reason)]
    if isinstance(event, events.LeadReleased):
        released = _at(event, cause) | {"owner": event.previous_owner, "reason": event.reason}
        return [
            news(cause, event.lead, "released", released),
            _stands(event, domain.POOLED, cause, event.reason),
        ]
    if isinstance(event, events.LeadDeleted):
        return [_stands(event, domain.DELETED, cause)]
    if isinstance(event, events.LeadUndeleted):
        # As it did before it was deleted: in the pool since then, and for the reason that it was given then.
        stood = _stands(event, event.status, cause, event.status_reason)
        since = micros(event.status_time)
        back = [stood._replace(values={**stood.values, "time": since}) if since else stood]
        if event.owner:
            from_now = micros(event.undelete_time)
            back.append(_began(event.lead, event.owner_version, event.owner, domain.UNDELETED, from_now, cause))
        return back
    if isinstance(event, events.LeadRemoved):
        return [news(cause, event.lead, "removed", {})]
    raise TypeError(type(event).__name__)


_Owned = (
    events.LeadCaptured
    | events.LeadAssigned
    | events.LeadContacted
    | events.LeadReleased
    | events.LeadQualified
    | events.LeadDisqualified
    | events.LeadDeleted
    | events.LeadUndeleted
)


def _at(event: _Owned, cause: Cause) -> dict[str, int | str]:
    return {"version": event.owner_version, "time": micros(cause.envelope.receive_time)}


def _said(of: events.LeadCaptured | Lead, lead: str, version: int, cause: Cause) -> News:
    if isinstance(of, Lead):
        named, phone = bool(of.full_name), bool(of.phone)
    else:
        named, phone = not of.without_name, not of.without_phone
    said = {
        "version": version,
        "event": cause.id,
        "channel": Channel.Name(of.channel) if of.channel else "",
        "region": of.region,
        "industry": of.industry,
        "capture_time": micros(of.capture_time),
        "blank": blank(NAME=named, PHONE=phone, COMPANY=of.company, CHANNEL=of.channel),
    }
    return news(cause, lead, "said", said)


def _began(lead: str, version: int, owner: str, how: str, begin: int, cause: Cause) -> News:
    return news(cause, lead, "began", {"version": version, "owner": owner, "how": how, "begin": begin})


def _contacted(event: events.LeadContacted | events.LeadQualified, time: int, cause: Cause) -> News:
    return news(cause, event.lead, "contacted", {"version": event.owner_version, "time": time})


def _stands(event: _Owned, status: int, cause: Cause, reason: str = "") -> News:
    return news(cause, event.lead, "stands", _at(event, cause) | {"status": status, "reason": reason})
