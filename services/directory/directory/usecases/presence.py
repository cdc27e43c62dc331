"""Presence with expiry: heartbeats are keys in Redis that run out; only this turns their absence into an event.

Redis decides nothing: when it was away, or came back empty, everybody has a whole timeout to be heard again before
anybody is called silent, and while it is away heartbeats are noted in the database.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import redis
import structlog

from chassis import cache
from chassis.access import refuse_read_only
from chassis.errors import Denied, NotFound, Refused
from chassis.service import Runtime
from chassis.transaction import Origin, Transaction
from directory.domain.people import OFFLINE, ONLINE, Person, changed
from directory.storage import people as storage
from directory.usecases import people
from directory.usecases.settings import settings

log = structlog.get_logger(__name__)
_UNAVAILABLE = (*cache.UNAVAILABLE, redis.RedisError)
# "<watching since> <last look>", seconds since 1970: since when silence can be trusted.
_WATCH = "directory:watch"


def _key(name: str) -> str:
    return f"directory:heartbeat:{name}"


def _client() -> redis.Redis:
    return cache.client(settings().redis_url)


def heartbeat(runtime: Runtime, origin: Origin, principal: Any, name: str) -> Person:
    """Keeps a person ONLINE; brings back whom silence took OFFLINE. Who set himself AWAY or OFFLINE stays so.

    Writes to the database only when that changes something, or when Redis is away.
    """
    with runtime.reading(principal) as tx:
        person = storage.person(tx, name) if principal.person == name else people.get(tx, name)
        if person is None:
            raise NotFound(name)
        if principal.person != name:
            people.require_writable(tx, person, ("presence",))
            refuse_read_only(principal, "people", ["presence"])
    if not person.active:
        raise Refused("PERSON_LEFT", "This person has left.", "该人员已离职。")
    kept = _keep(name)
    if kept and person.expects_heartbeat and not person.presence_expired:
        return person
    with runtime.transaction(principal, origin) as tx:
        before = storage.person(tx, name, lock=True)
        if before is None or not before.active:
            raise Denied("people.write")
        storage.note_heartbeat(tx, name, tx.now)
        changes: dict[str, Any] = {"expects_heartbeat": True}
        if before.presence_expired:
            changes |= {"presence": ONLINE, "presence_expired": False}
        after = changed(before, changes, tx.now)
        if after is not before:
            storage.save_person(tx, after)
            people.announce_presence(tx, before, after)
        return after


def _keep(name: str) -> bool:
    """Whether Redis took the heartbeat."""
    try:
        _client().set(_key(name), "1", px=int(settings().presence_timeout * 1000))
    except _UNAVAILABLE as problem:
        log.debug("heartbeats go to the database", error=type(problem).__name__)
        return False
    return True


def expire(tx: Transaction) -> bool:
    """Loop: takes OFFLINE who is ONLINE by heartbeats and has been silent for `presence_timeout`."""
    timeout = timedelta(seconds=settings().presence_timeout)
    try:
        store = _client()
        if not _trusted(store, tx.now, timeout):
            return False
        waiting = storage.expecting(tx, tx.now - timeout)
        heard = store.mget([_key(name) for name in waiting]) if waiting else []
    except _UNAVAILABLE as problem:
        log.warning("presence waits for redis", error=type(problem).__name__)
        return False
    silent = [name for name, value in zip(waiting, heard, strict=True) if value is None]
    if not silent:
        return False
    for before in storage.people_where(tx, storage.in_names(silent, tx.dialect), lock=True):
        if before.presence == ONLINE and before.expects_heartbeat:
            after = changed(before, {"presence": OFFLINE, "presence_expired": True}, tx.now)
            storage.save_person(tx, after)
            people.announce_presence(tx, before, after)
            tx.audit("person.presence", before.name, {"presence": OFFLINE, "cause": "silence"})
    return False


def _trusted(store: redis.Redis, now: datetime, timeout: timedelta) -> bool:
    """Whether we have watched without a gap for a whole timeout, so that a missing key means silence."""
    seconds = now.timestamp()
    since = seconds
    kept = str(store.get(_WATCH) or "").split()
    if len(kept) == 2 and 0 <= seconds - float(kept[1]) <= timeout.total_seconds() / 2:
        since = float(kept[0])
    store.set(_WATCH, f"{since} {seconds}")
    return seconds - since >= timeout.total_seconds()


def look_every() -> float:
    """Seconds between two looks: often enough that a look never seems to be a gap."""
    return min(5.0, settings().presence_timeout / 6)
