"""Notices that go by mail: tried again while it is certain that none arrived, and never sent again when it is not (the
notice itself is in the application all the same)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from activities.domain.attachment import Attachment
from activities.domain.notice import MailState, Notice
from activities.settings import ActivitySettings
from activities.storage import notices as storage
from activities.storage.contents import Contents
from activities.storage.notices import Mail
from activities.storage.tables import people as people_table
from activities.usecases import attachments, company, inbox, storing
from chassis import people
from chassis.mail import Attached, Letter, NotSent, Uncertain
from chassis.service import Runtime
from chassis.transaction import Transaction

log = structlog.get_logger(__name__)
_AT_ONCE = 5
# Whoever had a mail in hand for so long has ended without a word of what became of it.
_HELD = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _InHand:
    mail: Mail
    letter: Letter
    files: list[Attachment]


def send_due(runtime: Runtime) -> bool:
    """Errand: takes what is due, sends it outside of any transaction, and writes down how that ended. Returns whether
    there may be more."""
    if not company.mails():
        return False
    with runtime.transaction() as tx:
        taken = _taken(tx)
    for one in taken:
        state = _sent(one, storing.opened(runtime))
        with runtime.transaction() as tx:
            if state is None:
                storage.put_off(tx, one.mail)
            else:
                storage.settle(tx, one.mail.notice, state)
    return bool(taken)


def _taken(tx: Transaction) -> list[_InHand]:
    taken = []
    for mail in storage.due(tx, _AT_ONCE):
        notice = inbox.of_name(tx, mail.notice)
        if mail.sending_since is not None:
            storage.settle(tx, mail.notice, MailState.UNCERTAIN)
        elif tx.now - mail.created_at > timedelta(seconds=ActivitySettings().mail_patience):
            storage.settle(tx, mail.notice, MailState.FAILED)
            log.error("mail given up: no server took it", notice=mail.notice)
        elif notice is None or not (to := _address(tx, notice.person)):
            storage.settle(tx, mail.notice, MailState.FAILED)
        else:
            storage.take(tx, mail, tx.now + _HELD)
            id = mail.notice.rpartition("/")[2]
            letter = Letter(id, to, _subject(notice), _text(notice), notice.create_time)
            taken.append(_InHand(mail, letter, attachments.attached(tx, notice.attachments)))
    return taken


def _sent(one: _InHand, store: Contents) -> MailState | None:
    """How it ended; None: it did not go out, and may at another time."""
    contents = [(file, store.get(file.sha256)) for file in one.files]
    attached = [Attached(file.file_name, file.content_type, data) for file, data in contents if data is not None]
    try:
        company.channel().send(replace(one.letter, attached=attached))
    except NotSent as problem:
        log.warning("mail refused" if problem.permanent else "mail waits", notice=one.mail.notice, error=str(problem))
        return MailState.FAILED if problem.permanent else None
    except Uncertain as problem:
        log.warning("mail may have gone out", notice=one.mail.notice, error=str(problem))
        return MailState.UNCERTAIN
    return MailState.SENT


def _address(tx: Transaction, person: str) -> str:
    """Empty for who has none, or has left."""
    known = people.find(tx, people_table, person)
    return "" if known is not None and not known.active else storage.address(tx, person)


def _subject(notice: Notice) -> str:
    return " / ".join(dict.fromkeys(filter(None, (notice.title_zh, notice.title_en))))[:200]


def _text(notice: Notice) -> str:
    return "\n\n".join(dict.fromkeys(filter(None, (notice.text_zh, notice.text_en)))) + "\n"
