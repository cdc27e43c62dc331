"""Signing in and out. Sessions live on the server; the token is stored as SHA-256 alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from chassis import ids
from chassis.errors import NotFound, exhausted, unauthenticated
from chassis.service import Runtime
from chassis.transaction import Origin, Transaction
from directory import wire
from directory.domain import teams
from directory.domain.people import Person
from directory.domain.rights import Role
from directory.storage import organisation
from directory.storage import people as people_storage
from directory.storage import sign_in as storage
from directory.storage.sign_in import Session
from directory.usecases import passwords
from directory.usecases.settings import settings

# A session's last use is written at most so often: reading a principal must not cost a write.
_NOTED_EVERY = timedelta(minutes=5)
# Seconds that each failure beyond `sign_in_slow_after` adds.
_LONGER_EACH = 0.25
_waiting = threading.BoundedSemaphore(16)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session with whose it is. `token` only right after signing in."""

    session: Session
    person: Person
    role: Role
    expires: datetime
    token: str = ""


def expiry(session: Session) -> datetime:
    """The idle end or the absolute end, whichever comes first."""
    return min(session.ends_at, session.used_at + timedelta(seconds=settings().session_idle))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that is counted. `wait`: seconds before its password is looked at."""

    id: str
    wait: float


def begin_attempt(tx: Transaction, login: str, address: str) -> Attempt:
    """Counts a try before its outcome is known, so that many at once pass the limit by none.

    Raises RESOURCE_EXHAUSTED after too many that failed, for the login from this address or for the address. A login
    that fails from many addresses is slowed down and never locked: anybody could lock anybody out.
    """
    by_login, by_address = _keys(login, address)
    storage.hold(tx, by_login, *([by_address] if by_address else []))
    since = tx.now - timedelta(seconds=settings().sign_in_window)
    spent = storage.count_attempts(tx, since, by_login, by_address) >= settings().sign_in_failures
    if by_address and not spent:
        failed = storage.count_attempts(tx, since, address_key=by_address)
        spent = failed >= settings().sign_in_failures_per_address
    if spent:
        raise exhausted(
            "Too many failed sign-ins from here; wait a quarter of an hour.",
            "此处登录失败次数过多，请十五分钟后再试。",
            reason="TOO_MANY_SIGN_INS",
        )
    beyond = storage.count_attempts(tx, since, by_login) - settings().sign_in_slow_after + 1
    wait = min(_LONGER_EACH * max(beyond, 0), settings().sign_in_wait)
    return Attempt(storage.add_attempt(tx, by_login, by_address), wait)


def end_attempts(tx: Transaction, login: str, address: str, attempt: str) -> None:
    """The right password was given: earlier failures of this login from this address are forgotten."""
    storage.forget_attempts(tx, *_keys(login, address), attempt)


def _keys(login: str, address: str) -> tuple[str, str]:
    return storage.digest(f"login {login}"), storage.digest(f"address {_place(address)}") if address else ""


def _place(address: str) -> str:
    """Whom an address stands for: a household or a server has 2**64 of the sixth version."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else address


def _hold_up(seconds: float) -> None:
    """Makes one caller wait and not the process: only so many wait at once."""
    if seconds <= 0:
        return
    if not _waiting.acquire(blocking=False):
        raise exhausted("Too many sign-ins at once; try again.", "登录请求过多，请稍后重试。")
    try:
        threading.Event().wait(seconds)
    finally:
        _waiting.release()


def sign_in(runtime: Runtime, origin: Origin, login: str, password: str, address: str) -> SignedIn:
    """Raises the same UNAUTHENTICATED for an unknown login, a wrong password, nobody's password and one who left."""
    with runtime.transaction(origin=origin) as tx:
        attempt = begin_attempt(tx, login, address)
        known = people_storage.password_of(tx, login) if login else None
    name, stored = known or ("", "")
    _hold_up(attempt.wait)
    if not passwords.matches(stored, password):
        with runtime.transaction(origin=origin) as tx:
            tx.audit("session.refused", name or "people/-")
        raise _wrong()
    fresh_hash = passwords.hashed(password) if passwords.outdated(stored) else ""
    with runtime.transaction(origin=Origin(name, "", 0, origin.traceparent)) as tx:
        person = people_storage.person(tx, name, lock=True)
        # Meanwhile he may have left, or the password may have been changed.
        if person is None or not person.active or people_storage.password_hash(tx, name) != stored:
            raise _wrong()
        end_attempts(tx, login, address, attempt.id)
        if fresh_hash:
            people_storage.set_password(tx, name, fresh_hash)
        token = ids.new_secret(32)
        ends = tx.now + timedelta(seconds=settings().session_longest)
        session = Session(f"sessions/{ids.new_id()}", name, tx.now, ends)
        storage.add_session(tx, session, token)
        tx.audit("session.created", name)
        return SignedIn(session, person, _role(tx, person), expiry(session), token)


def _wrong() -> Exception:
    return unauthenticated("The login or the password is wrong.", "登录名或密码不正确。", "WRONG_SIGN_IN")


def _role(tx: Transaction, person: Person) -> Role:
    return organisation.role(tx, person.role) or Role(person.role, person.role, ())


def _live(tx: Transaction, session: Session | None) -> SignedIn:
    person = people_storage.person(tx, session.person) if session else None
    if session is None or expiry(session) <= tx.now or person is None or not person.active:
        raise unauthenticated("The session has ended; sign in again.", "会话已结束，请重新登录。", "SESSION_ENDED")
    return SignedIn(session, person, _role(tx, person), expiry(session))


def resolve(runtime: Runtime, token: str) -> tuple[SignedIn, Sequence[str]]:
    """Whose token it is, with the teams that the scope TEAM covers. Raises UNAUTHENTICATED."""
    with runtime.reading() as tx:
        live = _live(tx, storage.session_of_token(tx, token))
        covered = teams.covered(live.person.name, live.person.team, organisation.every_team(tx))
        stale = tx.now - live.session.used_at > _NOTED_EVERY
    if stale:
        with runtime.transaction() as tx:
            storage.touch_session(tx, live.session.id)
    return live, covered


def away(tx: Transaction, name: str) -> tuple[Person, Role, Sequence[str]]:
    """A person who has no session, with his role and the teams that the scope TEAM covers. Raises NotFound for one who
    has left."""
    person = people_storage.person(tx, name)
    if person is None or not person.active:
        raise NotFound(name[:80])
    return person, _role(tx, person), teams.covered(person.name, person.team, organisation.every_team(tx))


def current(tx: Transaction) -> SignedIn:
    """The caller's own session."""
    return _live(tx, storage.session(tx, tx.principal.session))


def sign_out(tx: Transaction) -> None:
    if not storage.end_session(tx, tx.principal.session):
        raise NotFound("sessions/current")
    tx.emit(wire.sessions_ended(tx.principal.person))
    tx.audit("session.ended", tx.principal.person)


def end_all(tx: Transaction, person: str, but: str = "") -> None:
    """All of a person's sessions are over, but one; so is what others remember of them."""
    storage.end_sessions(tx, person, but=but)
    tx.emit(wire.sessions_ended(person))


def drop_expired(tx: Transaction) -> bool:
    """Loop: forgets sessions, one-time tokens and attempts that no longer count."""
    idle = tx.now - timedelta(seconds=settings().session_idle)
    storage.drop_expired(tx, idle, tx.now - timedelta(seconds=max(settings().sign_in_window, 3600)))
    return False
