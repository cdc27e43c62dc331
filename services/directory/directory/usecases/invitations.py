"""Invitations, password resets and changes: one-time tokens, of which only the hash is kept."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from chassis import ids
from chassis.access import Principal, refuse_read_only
from chassis.errors import Invalid, NotFound, Problem, Refused
from chassis.service import Runtime
from chassis.settings import embedded_token_key
from chassis.transaction import Origin, Transaction
from directory.domain.people import Person
from directory.storage import people as people_storage
from directory.storage import sign_in as storage
from directory.usecases import passwords, people, sessions
from directory.usecases.sessions import begin_attempt, end_attempts
from directory.usecases.settings import settings

log = structlog.get_logger(__name__)
INVITE, RESET = "INVITE", "RESET"
# Mails to one login within the sign-in window; whoever asks for more is answered alike and gets none.
_MOST_RESETS = 3


@dataclass(frozen=True, slots=True)
class Invitation:
    """`link` is empty when it goes by mail."""

    link: str
    mailed: bool
    expires: datetime


def lifetime(kind: str) -> timedelta:
    return timedelta(seconds=settings().invitation_lifetime if kind == INVITE else settings().reset_lifetime)


def link(token: str) -> str:
    # In the fragment, so that it stands in no server's log.
    return f"{settings().site}/password#token={token}"


def token_for(runtime: Runtime, actor: str, request_id: str, name: str) -> str:
    """The token of an invitation. A repeated request_id gives the same again, so that no answer with it is stored."""
    if not request_id:
        return ids.new_secret(32)
    key = runtime.settings.token_key.get_secret_value() or embedded_token_key(runtime.settings.data)
    made = hmac.digest(key.encode(), f"invitation\n{actor}\n{name}\n{request_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def invite(tx: Transaction, name: str, token: str) -> Invitation:
    """A fresh one-time link; the ones before it end. By mail where a server is set and he has an address."""
    person = people.get(tx, name, lock=True)
    people.require_writable(tx, person)
    refuse_read_only(tx.principal, "people", ["password"])
    if not person.active:
        raise Refused("PERSON_LEFT", "This person has left.", "该人员已离职。")
    if not person.login:
        raise Invalid([("name", "this person has no login", "该人员没有登录名")])
    expires = tx.now + lifetime(INVITE)
    if known := storage.token_expiry(tx, token):
        return Invitation(link(token), False, known)
    storage.drop_tokens(tx, name)
    tx.audit("person.invited", name)
    if settings().mails and person.email:
        storage.add_mail(tx, storage.digest(token)[:32], name, INVITE)
        return Invitation("", True, expires)
    storage.add_token(tx, token, name, INVITE, expires)
    return Invitation(link(token), False, expires)


def hand_out(tx: Transaction, login: str) -> Invitation:
    """A fresh one-time link for whom a login or "people/..." names, with no caller to be judged: for one who holds the
    database itself. The ones before it end. Raises NotFound, also for one who has left or has no login."""
    known = people_storage.password_of(tx, login) if login else None
    person = people_storage.person(tx, known[0] if known else login, lock=True)
    if person is None or not person.active or not person.login:
        raise NotFound(login)
    token, expires = ids.new_secret(32), tx.now + lifetime(INVITE)
    storage.drop_tokens(tx, person.name)
    storage.add_token(tx, token, person.name, INVITE, expires)
    tx.audit("person.invited", person.name, {"by": "command"})
    return Invitation(link(token), False, expires)


def request_reset(tx: Transaction, login: str) -> None:
    """Queues a mail where the login exists and has an address, and tells nobody whether. Where none can be sent, the
    log says who waits for a link."""
    key = storage.digest(f"reset {login}")
    storage.hold(tx, key)
    since = tx.now - timedelta(seconds=settings().sign_in_window)
    if storage.count_attempts(tx, since, login_key=key) >= _MOST_RESETS:
        return
    storage.add_attempt(tx, key, "")
    known = people_storage.password_of(tx, login) if login else None
    person = people_storage.person(tx, known[0]) if known else None
    if person is None:
        return
    tx.audit("password.reset_requested", person.name)
    if person.email and settings().mails:
        storage.add_mail(tx, ids.new_id(), person.name, RESET)
        return
    why = "he has no e-mail address" if settings().mails else "no mail server is set (DEALWRIGHT_SMTP_URL)"
    said = "a password reset was asked for and no mail can go out: hand out a link with `dealwright invite` or :invite"
    tx.after_commit(lambda: log.warning(said, person=person.name, why=why))


def redeem(runtime: Runtime, origin: Origin, token: str, password: str) -> None:
    """Sets the password; all of the person's sessions and other tokens end. Raises TOKEN_SPENT."""
    with runtime.reading() as tx:
        if storage.person_of_token(tx, token) is None:
            raise _spent()
    hashed = passwords.hashed(password)
    with runtime.transaction(origin=origin) as tx:
        name = storage.spend_token(tx, token)
        person = people_storage.person(tx, name, lock=True) if name else None
        if person is None or not person.active:
            raise _spent()
        _set(tx, person, hashed)
        sessions.end_all(tx, person.name)
        tx.audit("password.set", person.name, {"by": "token"}, actor=person.name)


def _spent() -> Problem:
    english = "The link was used or has expired; ask for a new one."
    return Refused("TOKEN_SPENT", english, "链接已使用或已过期，请重新获取。")


def _set(tx: Transaction, person: Person, hashed: str) -> None:
    people_storage.set_password(tx, person.name, hashed)
    storage.drop_tokens(tx, person.name)
    storage.forget_attempts(tx, storage.digest(f"login {person.login}"))


def change(runtime: Runtime, principal: Principal, origin: Origin, name: str, current: str, new: str) -> None:
    """One's own with the current password, another's with the right to write people. His other sessions end."""
    mine = principal.person == name
    with runtime.reading(principal) as tx:
        person = people_storage.person(tx, name) if mine else people.get(tx, name)
        if person is None:
            raise NotFound(name)
        if not mine:
            people.require_writable(tx, person)
            refuse_read_only(principal, "people", ["password"])
        stored = people_storage.password_hash(tx, name)
    attempt = ""
    if mine:
        # A session left open must not become a place to guess passwords at.
        with runtime.transaction(principal, origin) as tx:
            attempt = begin_attempt(tx, person.login, "").id
        if not passwords.matches(stored, current):
            raise Refused("WRONG_PASSWORD", "The current password is wrong.", "当前密码不正确。")
    hashed = passwords.hashed(new)
    with runtime.transaction(principal, origin) as tx:
        person = people_storage.person(tx, name, lock=True)
        if person is None or not person.active or people_storage.password_hash(tx, name) != stored:
            raise Refused("WRONG_PASSWORD", "The password was changed meanwhile.", "密码已被修改。")
        if attempt:
            end_attempts(tx, person.login, "", attempt)
        _set(tx, person, hashed)
        sessions.end_all(tx, name, but=principal.session)
        tx.audit("password.set", name)
