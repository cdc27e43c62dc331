"""Mails, sent by a loop outside of any transaction and never lost: a row stays until the server took the mail."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import structlog

from chassis import ids
from chassis.mail import Letter, NotSent, Smtp, Uncertain
from chassis.transaction import Transaction
from directory.domain.people import Person
from directory.storage import people as people_storage
from directory.storage import sign_in as storage
from directory.usecases.invitations import INVITE, lifetime, link
from directory.usecases.settings import settings

log = structlog.get_logger(__name__)
# A process that died while it sent leaves the row to the next after this.
_CLAIM = timedelta(minutes=2)
_LONGEST_WAIT = timedelta(minutes=30)
_AT_ONCE = 5

_guard = threading.Lock()
_sent: list[str] = []

_TEXTS = {
    INVITE: (
        "欢迎使用 Dealwright / Welcome to Dealwright",
        "{name}，您好：\n\n请打开以下链接设置密码（{hours} 小时内有效，仅可使用一次）：\n{link}\n\n"
        "Hello {name},\n\nopen this link to set your password (valid for {hours} hours, once):\n{link}\n",
    ),
    "RESET": (
        "重置密码 / Reset your password",
        "{name}，您好：\n\n请打开以下链接重置密码（{hours} 小时内有效，仅可使用一次）。"
        "若非本人操作，请忽略：\n{link}\n\n"
        "Hello {name},\n\nopen this link to set a new password (valid for {hours} hours, once). "
        "If you did not ask for it, ignore this mail:\n{link}\n",
    ),
}


def send_due(tx: Transaction) -> bool:
    """Loop: claims what is due; the mails go out after the commit. What was sent is deleted by the next run.

    A crash between sending and deleting sends a second mail, whose link works as well: none is better lost.
    """
    with _guard:
        done = list(_sent)
    storage.drop_mails(tx, done)
    if not settings().mails:
        return False
    letters: list[Letter] = []
    due = storage.due_mails(tx, _AT_ONCE)
    for mail in due:
        person = people_storage.person(tx, mail.person)
        if person is None or not person.active or not person.email:
            storage.drop_mails(tx, [mail.id])
            continue
        wait = min(_CLAIM * 2 ** min(mail.tries, 8), _LONGEST_WAIT)
        if tx.now - mail.created_at > lifetime(mail.kind):
            log.error("mail given up: what it offers would have expired", mail=mail.id, kind=mail.kind)
            storage.drop_mails(tx, [mail.id])
            continue
        storage.put_off_mail(tx, mail, tx.now + wait)
        token = ids.new_secret(32)
        storage.add_token(tx, token, person.name, mail.kind, tx.now + lifetime(mail.kind))
        letters.append(compose(person, mail.id, mail.kind, token, tx.now))
    if letters or done:
        tx.after_commit(lambda: _after(letters, done))
    return len(due) == _AT_ONCE or bool(letters)


def _after(letters: list[Letter], done: list[str]) -> None:
    with _guard:
        _sent[:] = [id for id in _sent if id not in done]
    for letter in letters:
        try:
            channel().send(letter)
        except (NotSent, Uncertain) as problem:
            log.warning("mail waits", mail=letter.id, error=str(problem))
            continue
        with _guard:
            _sent.append(letter.id)


def compose(person: Person, mail: str, kind: str, token: str, now: datetime) -> Letter:
    subject, text = _TEXTS[kind]
    hours = int(lifetime(kind).total_seconds() // 3600)
    said = text.format(name=person.display_name, hours=hours, link=link(token))
    return Letter(mail, person.email, subject, said, now)


def channel() -> Smtp:
    return Smtp(settings().smtp_url.get_secret_value(), settings().mail_from)
