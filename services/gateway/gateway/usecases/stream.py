"""Events as entries of the feed's stream: what happened, whom it concerns, what a notice says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from google.protobuf.message import Message

from chassis.cache import UNAVAILABLE
from chassis.transaction import Transaction
from gateway.storage import copies
from gateway.wire import json_writer

# The resource of what is for the one whom it concerns and nobody else, whatever a role may read.
PERSONAL = "notifications"
# That of what is for the pods themselves.
SESSIONS = "sessions"
_REMEMBERED = 3600
_DEFAULT_RESPONSE_MINUTES = 120


@dataclass(frozen=True)
class Outline:
    """An event as the feed tells it, to those who may do `verb` with the `resource`. `people`: whom it concerns, the
    addressee of a notice first. `nobodys`: it is also of what nobody has, which is for all whose scope is a team."""

    event: Message
    resource: str
    people: Sequence[str]
    notice_zh: str = ""
    notice_en: str = ""
    verb: str = "read"
    nobodys: bool = False


def response_notice(minutes: int) -> tuple[str, str]:
    """What the new owner of a lead is told (L20), in Chinese and in English."""
    minutes = minutes or _DEFAULT_RESPONSE_MINUTES
    if minutes % 60 == 0:
        hours = minutes // 60
        return (
            f"您有一条新线索待处理,请在{hours}小时内联系客户",
            f"You have a new lead; contact the customer within {hours} hour{'s' if hours != 1 else ''}",
        )
    return (
        f"您有一条新线索待处理,请在{minutes}分钟内联系客户",
        f"You have a new lead; contact the customer within {minutes} minute{'s' if minutes != 1 else ''}",
    )


def fingerprint(event: Message) -> str:
    """The same for a second delivery of an event; each event's own state version keeps different ones apart."""
    content = event.DESCRIPTOR.full_name.encode() + b"\0" + event.SerializeToString(deterministic=True)
    return hashlib.sha256(content).hexdigest()[:32]


def entry(outline: Outline, teams: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The stream fields of an outline. `teams` maps the people concerned to their teams."""
    event: Any = outline.event
    people = [person for person in dict.fromkeys(outline.people) if person]
    fields = {
        "type": event.DESCRIPTOR.name,
        "subject": str(getattr(event, event.DESCRIPTOR.fields[0].name)),
        "resource": outline.resource,
        "people": ",".join(people),
        "teams": ",".join(sorted({teams[person] for person in people if teams.get(person)})),
        "verb": outline.verb,
        "nobodys": "1" if outline.nobodys else "",
        "time": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "data": json.dumps(json_writer.write(event), ensure_ascii=False, separators=(",", ":")),
    }
    if outline.notice_zh:
        fields["notice_zh"] = outline.notice_zh
        fields["notice_en"] = outline.notice_en
    return fields


def publish(tx: Transaction, outlines: Sequence[Outline], store: redis.Redis, stream: str, length: int) -> None:
    """Puts them on the stream, each once. Raises ConnectionError while Redis is away."""
    teams = copies.teams_of(tx, {person for outline in outlines for person in outline.people if person})
    append(store, stream, length, {fingerprint(o.event): entry(o, teams, tx.now) for o in outlines}, tx.now)


def doubt(tx: Transaction, people: Iterable[str], store: redis.Redis, stream: str, length: int) -> None:
    """Every pod forgets what it knows of these people's sessions; of everybody's where nobody is named. Raises
    ConnectionError while Redis is away."""
    key = "sessions " + " ".join(cause.id for cause in tx.causes)
    fields = {"resource": SESSIONS, "people": ",".join(sorted(set(people)))}
    append(store, stream, length, {hashlib.sha256(key.encode()).hexdigest()[:32]: fields}, tx.now)


def append(store: redis.Redis, stream: str, length: int, entries: Mapping[str, dict[str, str]], now: datetime) -> None:
    """Adds what is not there yet; the keys are fingerprints, remembered for one hour to two, in a set an hour.

    An event is delivered to one process at a time (its inbox row is locked), so looking first and adding then is
    safe, and the two are one MULTI. Raises ConnectionError while Redis is away: the delivery then waits.
    """
    keys = list(entries)
    hour = int(now.timestamp()) // _REMEMBERED
    mine, before = (f"dealwright:fed:{number}" for number in (hour, hour - 1))
    try:
        with store.pipeline(transaction=False) as pipe:
            for fed in (mine, before):
                pipe.smismember(fed, keys)
            known: Any = pipe.execute()
        fresh = [key for key, *seen in zip(keys, *known, strict=True) if not any(seen)]
        if not fresh:
            return
        with store.pipeline(transaction=True) as pipe:
            for key in fresh:
                pipe.xadd(stream, dict(entries[key].items()), maxlen=length, approximate=True)
            pipe.sadd(mine, *fresh)
            pipe.expire(mine, 2 * _REMEMBERED)
            pipe.execute()
    except UNAVAILABLE as problem:
        raise ConnectionError("the feed's stream is away") from problem
