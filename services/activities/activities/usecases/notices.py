"""People are told of things: in the application, and by mail where they or the company want it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from activities.domain.notice import Kind, MailState, Notice, Told, Words
from activities.domain.task import Owned
from activities.storage import known as stored
from activities.storage import notices as storage
from activities.storage.notices import notifications
from activities.storage.tables import people as people_table
from activities.usecases import company, settings, templates
from activities.wire.notice_messages import notified
from chassis import ids, people
from chassis.database import insert_rows
from chassis.transaction import Transaction

_COLUMNS = tuple(Notice.__dataclass_fields__)


def tell(tx: Transaction, told: Sequence[Told]) -> None:
    """Once for each person and key. Nobody is told of what he did himself; who has left is told nothing."""
    known = {one.name: one for one in people.find_all(tx, people_table, sorted({one.person for one in told}))}
    left = {name for name, who in known.items() if not who.active}
    wanted = [one for one in told if one.person and one.person != one.actor and one.person not in left]
    if not wanted:
        return
    mailed = _mail_kinds(tx, [one.person for one in wanted])
    wanted = _called(tx, wanted)
    made = [_notice(tx, one, one.kind in mailed[one.person]) for one in wanted]
    rows = [tuple(getattr(one, column) for column in _COLUMNS) for one in sorted(made, key=lambda n: (n.person, n.key))]
    kept = insert_rows(
        tx.connection, notifications, _COLUMNS, rows, conflict="DO NOTHING", returning=("name", "mail_state")
    )
    storage.queue(tx, sorted(name for name, state in kept if state == MailState.WAITING))
    names = {name for name, _ in kept}
    # Of a new lead its assignment itself tells whoever watches the feed: there is one with every lead.
    tx.emit_all(notified(one) for one in made if one.name in names and one.kind != Kind.LEAD_ASSIGNED)


def settle(tx: Transaction, approvals: Sequence[str]) -> None:
    """Nobody has to look any more at what he was asked about an approval that has ended, as its asker was told."""
    for name in storage.answered(tx, approvals):
        tx.audit("notification.settled", name)


def _called(tx: Transaction, told: Sequence[Told]) -> list[Told]:
    """With the numbers by which people call what they are told about; a record of which nobody told us yet keeps its
    name."""
    known = stored.find(tx, sorted({one.about for one in told if one.about}))
    found = []
    for one in told:
        if one.about:
            number = known[one.about].number if one.about in known else ""
            one = replace(one, words=replace(one.words, text_zh=number or one.about, text_en=number or one.about))
        found.append(one)
    return found


def new_leads(tx: Transaction, owned: Sequence[Owned], actors: Sequence[str]) -> None:
    """Whoever has a lead now is told, until when to respond, too; `actors` gave them away. Who takes one from the pool
    knows it."""
    if owned:
        hours = settings.document(tx, "tasks")["leadHours"]
        tell(tx, [_new_lead(one, hours, actor) for one, actor in zip(owned, actors, strict=True) if one.owner])


def _new_lead(one: Owned, hours: int, actor: str) -> Told:
    words = Words("新线索", "A new lead", *one.words(hours))
    return Told(one.owner, Kind.LEAD_ASSIGNED, one.lead, words, actor, f"assigned {one.lead} {one.owner_version}")


def _mail_kinds(tx: Transaction, persons: Sequence[str]) -> dict[str, frozenset[int]]:
    """What goes by mail for each of them; nothing where no mail can go out."""
    if not company.mails():
        return dict.fromkeys(persons, frozenset[int]())
    own = storage.preferred(tx, persons)
    default = settings.mailed(tx)
    return {person: frozenset(own.get(person, default)) | {Kind.MAIL.value} for person in persons}


def _notice(tx: Transaction, told: Told, mailed: bool) -> Notice:
    words, attached = told.words, list[str]()
    template = templates.called(tx, told.template) if told.template else None
    if template is not None:
        text = templates.filled(tx, template, told.record, company.today(tx))
        words = Words(
            words.title_zh or text.subject_zh,
            words.title_en or text.subject_en,
            "\n\n".join(filter(None, (words.text_zh, text.body_zh))),
            "\n\n".join(filter(None, (words.text_en, text.body_en))),
        )
        attached = list(template.attachments)
    return Notice(
        name=f"notifications/{ids.new_id()}",
        person=told.person,
        kind=told.kind.value,
        record=told.record,
        title_zh=words.title_zh,
        title_en=words.title_en,
        text_zh=words.text_zh,
        text_en=words.text_en,
        actor=told.actor,
        key=told.key,
        mail_state=MailState.WAITING if mailed else MailState.NONE,
        attachments=attached,
        create_time=tx.now,
        read_time=None,
    )


def know_addresses(tx: Transaction, told: Sequence[tuple[str, str, int]]) -> None:
    """Where people's mail goes: (person, e-mail, version of the person)."""
    storage.know_addresses(tx, told)
