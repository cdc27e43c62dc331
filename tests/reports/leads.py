"""Events of leads, as their service tells them."""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from dealwright.activities.v1 import activities_pb2
from dealwright.activities.v1.events_pb2 import FollowUpChanged
from dealwright.leads.v1 import events_pb2 as events
from dealwright.leads.v1 import leads_pb2
from dealwright.leads.v1.leads_pb2 import Channel
from tests.reports.desk import moment


@dataclass
class Lead:
    """One that is worked on; `told` are the events so far, each with when it was learnt: when the capture was heard,
    and when the others happened."""

    name: str
    captured: str
    channel: str = "WEB_FORM"
    region: str = "华东"
    heard: str = ""
    told: list[tuple[Message, str]] = field(default_factory=list)
    owner: str = ""
    owner_version: int = 0
    version: int = 1
    contacted: bool = False
    # Its status, why, and since when, where it is in the pool or closed.
    stood: tuple[str, str, str] = ("", "", "")
    company: str = ""
    # "name", "phone": what nobody knew when it was captured.
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.told.append((self._capture(""), self.heard or self.captured))

    def _capture(self, cause: str) -> events.LeadCaptured:
        return events.LeadCaptured(
            lead=self.name,
            region=self.region,
            channel=Channel.Value(self.channel),
            capture_time=stamp(self.captured),
            owner_version=self.owner_version,
            previous_owner=self.owner,
            cause=cause,
            company=self.company,
            without_name="name" in self.without,
            without_phone="phone" in self.without,
        )

    def assign(self, owner: str, when: str, how: str = "RULES") -> Lead:
        self.owner, self.owner_version, self.contacted = owner, self.owner_version + 1, False
        self.stood = ("", "", "")
        assigned = events.LeadAssigned(
            lead=self.name,
            owner=owner,
            owner_version=self.owner_version,
            how=how,
            channel=Channel.Value(self.channel),
            capture_time=stamp(self.captured),
            assign_time=stamp(when),
        )
        return self._tell(assigned, when)

    def contact(self, when: str) -> Lead:
        first, self.contacted = not self.contacted, True
        contacted = events.LeadContacted(
            lead=self.name,
            owner=self.owner,
            happen_time=stamp(when),
            owner_version=self.owner_version,
            first=first,
        )
        return self._tell(contacted, when)

    def nobody(self, when: str) -> Lead:
        return self._tell(
            events.LeadUnassigned(lead=self.name, reason="NOBODY", owner_version=self.owner_version), when
        )

    def release(self, when: str, reason: str = "INACTIVE") -> Lead:
        previous, self.owner, self.owner_version = self.owner, "", self.owner_version + 1
        self.stood = ("POOLED", reason, when)
        released = events.LeadReleased(
            lead=self.name, previous_owner=previous, owner_version=self.owner_version, reason=reason
        )
        return self._tell(released, when)

    def again(self, when: str, cause: str = "RETURNED") -> Lead:
        """It wants an owner, or another one."""
        if cause == "RETURNED" and self.owner:
            self.owner, self.owner_version = "", self.owner_version + 1
        if cause == "RETURNED":
            self.stood = ("", "", "")
        return self._tell(self._capture(cause), when)

    def qualify(self, when: str) -> Lead:
        return self._tell(
            events.LeadQualified(lead=self.name, owner=self.owner, owner_version=self.owner_version), when
        )

    def disqualify(self, when: str, reason: str = "NO_BUDGET") -> Lead:
        self.stood = ("DISQUALIFIED", reason, when)
        return self._tell(
            events.LeadDisqualified(lead=self.name, owner=self.owner, owner_version=self.owner_version, reason=reason),
            when,
        )

    def correct(self, when: str, region: str, **fields: str) -> Lead:
        self.region, self.version = region, self.version + 1
        lead = leads_pb2.Lead(
            name=self.name,
            region=region,
            channel=Channel.Value(self.channel),
            capture_time=stamp(self.captured),
            **fields,  # type: ignore[arg-type]
        )
        return self._tell(events.LeadChanged(lead=lead, version=self.version), when)

    def scanned(self, when: str, captured: str, channel: str) -> Lead:
        """It is heard, then, that it had been scanned before it was captured otherwise."""
        self.captured, self.channel = captured, channel
        return self.correct(when, self.region)

    def delete(self, when: str) -> Lead:
        self.owner_version += 1
        return self._tell(events.LeadDeleted(lead=self.name, owner=self.owner, owner_version=self.owner_version), when)

    def undelete(self, when: str) -> Lead:
        self.owner_version += 1
        at_work = "CONTACTED" if self.contacted else "ASSIGNED"
        waiting = (at_work if self.owner else "WAITING", "", when)
        status, reason, since = self.stood if self.stood[0] else waiting
        back = events.LeadUndeleted(
            lead=self.name,
            owner=self.owner,
            owner_version=self.owner_version,
            status=leads_pb2.Lead.Status.Value(status),
            contacted=self.contacted,
            undelete_time=stamp(when),
            status_reason=reason,
            status_time=stamp(since),
        )
        return self._tell(back, when)

    def remove(self, when: str) -> Lead:
        return self._tell(events.LeadRemoved(lead=self.name, reason="DELETED"), when)

    def touch(self, when: str, name: str = "followUps/1", gone: bool = False) -> Lead:
        follow_up = activities_pb2.FollowUp(name=name, lead=self.name, owner=self.owner, happen_time=stamp(when))
        version = 1 + max((event.version for event, _ in self.told if _of(event, name)), default=0)  # type: ignore[attr-defined]
        return self._tell(FollowUpChanged(follow_up=follow_up, version=version, deleted=gone), when)

    def _tell(self, event: Message, when: str) -> Lead:
        self.told.append((event, when))
        return self


def _of(event: Message, follow_up: str) -> bool:
    return isinstance(event, FollowUpChanged) and event.follow_up.name == follow_up


def stamp(text: str) -> Timestamp:
    """ "2026-11-22T10:00" of Shanghai's clock."""
    found = Timestamp()
    found.FromDatetime(moment(text))
    return found
