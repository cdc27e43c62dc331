"""The phone of a deleted lead is free for whoever comes with it; deletions, returns and captures at once leave one lead
a phone, or two that a person is to look at."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.database import is_unavailable
from chassis.errors import NotFound, Refused, Stale
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads.domain.ownership import Decided
from leads.domain.settings import LeadSettings
from leads.storage import settings
from leads.storage.tables import leads as table
from leads.usecases.deleting import purge
from tests.leads.desk import Desk
from tests.leads.importer import Importer, people, sheet
from tests.leads.test_deleting import EMAIL, PHONE, delete, listed, owned, shown, undelete

pytestmark = pytest.mark.usefixtures("staff")


def test_L6_whoever_comes_back_to_a_deleted_lead_is_a_new_one_and_the_two_are_looked_at_together(desk: Desk) -> None:
    old = owned(desk, email=EMAIL)
    delete(desk, old)
    new = desk.capture(phone=PHONE, company="乙")
    assert (new.outcome, desk.keyed()[f"phone:{PHONE}"]) == (leads_pb2.CaptureLeadResponse.CREATED, new.lead.name)
    # Nobody came with the e-mail: it is the old one's, and stays so.
    assert desk.keyed()[f"email:{EMAIL}"] == old
    back = undelete(desk, old)
    assert back.review_with == new.lead.name
    assert desk.get(new.lead.name).review_with == old
    both = {old, new.lead.name}
    assert set(listed(desk, filter=f'phone = "{PHONE}"')) == both, "each says so of itself"
    assert desk.capture(phone=PHONE).lead.name == new.lead.name
    assert desk.capture(email=EMAIL).lead.name == old
    # One of the two goes, and the other is known by what both were known by.
    delete(desk, new.lead.name)
    assert desk.capture(phone=PHONE).lead.name == old
    assert desk.get(old).review_with == ""
    # And comes back beside it.
    assert undelete(desk, new.lead.name).review_with == old
    assert desk.keyed()[f"phone:{PHONE}"] == old


def test_L6_a_deleted_leads_phone_is_free_for_a_batch_a_correction_and_another_that_comes_back(desk: Desk) -> None:
    first = desk.capture(phone=PHONE).lead.name
    delete(desk, first)
    second = desk.capture(phone=PHONE).lead.name
    delete(desk, second)
    assert undelete(desk, first).review_with == ""  # the second has no use for it
    assert desk.keyed() == {f"phone:{PHONE}": first}
    assert undelete(desk, second).review_with == first
    delete(desk, first)
    delete(desk, second)
    answers = desk.capture_all(
        [leads_pb2.Lead(phone=p, email=e) for p, e in ((PHONE, ""), (PHONE, EMAIL), ("13812345670", ""), ("", EMAIL))]
    )
    names = [answer.lead.name for answer in answers]  # type: ignore[union-attr]
    assert names[0] == names[1] == names[3] != names[2]
    assert not {first, second} & set(names)
    delete(desk, names[0])
    changed = leads_pb2.UpdateLeadRequest(lead=leads_pb2.Lead(name=names[2], phone=PHONE))
    assert desk.call("UpdateLead", changed).phone == PHONE
    assert desk.keyed()[f"phone:{PHONE}"] == names[2]


def test_L6_a_company_that_refuses_duplicates_takes_a_contact_whose_lead_was_deleted(desk: Desk) -> None:
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(hard_reject_duplicates=True))
    name = desk.capture(phone=PHONE).lead.name
    with pytest.raises(Refused, match="exists already"):
        desk.capture(phone=PHONE)
    delete(desk, name)
    assert desk.capture(phone=PHONE).outcome == leads_pb2.CaptureLeadResponse.CREATED


def test_I1_a_key_of_a_lead_that_is_gone_keeps_nobody_out(desk: Desk) -> None:
    """Keys that came with later captures outlive their lead; whoever comes with one has it."""
    name = desk.capture(phone=PHONE).lead.name
    desk.capture(phone=PHONE, email=EMAIL)
    desk.capture(phone=PHONE, email="b@example.cn")
    delete(desk, name)
    with desk.runtime.transaction() as tx:
        tx.execute(sa.update(table).values(delete_time=tx.now - timedelta(days=31)))
        purge(tx)
    assert desk.capture(email="b@example.cn").outcome == leads_pb2.CaptureLeadResponse.CREATED


# --- imports ---


@pytest.mark.parametrize("came_back", [False, True])
def test_I3_an_import_whose_lead_somebody_deleted_is_undone_without_residue(desk: Desk, came_back: bool) -> None:
    importer = Importer(desk)
    before = importer.content()
    job = importer.bring(sheet(*people(3)))
    names = [row.record for row in importer.rows(job.name)]
    desk.assign(names[0], "people/li")
    for name in names[:2]:
        delete(desk, name)
    if came_back:
        undelete(desk, names[0])
    undone = importer.undo(job.name)
    assert (undone.counts.undone, list(undone.kept)) == (3, [])
    assert importer.content() == before


def test_I2_the_preview_of_an_import_does_not_know_a_deleted_lead(desk: Desk) -> None:
    importer = Importer(desk)
    name = desk.capture(phone="13800000000").lead.name
    sheets = sheet(*people(1))
    known = importer.bring(sheets, validate_only=True)
    assert (known.counts.matches + known.counts.conflicts, known.counts.created) == (1, 0)
    delete(desk, name)
    fresh = importer.bring(sheets, validate_only=True, file_name="again.csv")
    assert (fresh.counts.matches + fresh.counts.conflicts, fresh.counts.created) == (0, 1)


# --- at once ---


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """What became of each: "done", or the refusal."""
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> str:
        together.wait()
        while True:
            try:
                act()
            except Refused as problem:
                return problem.reason
            except (NotFound, Stale) as problem:
                return type(problem).__name__
            except sa.exc.DBAPIError as problem:
                if not is_unavailable(problem):
                    raise
                continue  # chosen to break a deadlock: every command runs again then
            return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_C2_of_two_who_delete_or_bring_back_at_once_one_did(desk: Desk) -> None:
    name = owned(desk)
    for number in range(4):
        assert sorted(at_once(*[lambda: delete(desk, name)] * 3)) == ["NotFound", "NotFound", "done"]
        assert sorted(at_once(*[lambda: undelete(desk, name)] * 3)) == ["NOT_DELETED", "NOT_DELETED", "done"]
        assert desk.get(name).owner_version == 3 + 2 * number
    told = [e.owner_version for e in desk.announced((events_pb2.LeadDeleted, events_pb2.LeadUndeleted))]
    assert told == list(range(2, 10))


def test_C2_a_decision_and_a_deletion_at_once_leave_a_deleted_lead_and_a_turn_that_is_taken_or_back(
    desk: Desk,
) -> None:
    for number in range(6):
        name = desk.capture(phone=f"1381234567{number}").lead.name
        desk.announced()
        decide = Decided(name, "people/li", 0, number + 1)
        assert at_once(lambda: delete(desk, name), lambda: desk.decide(decide)) == ["done", "done"]  # noqa: B023
        told = {type(event): event for event in desk.announced()}
        assert (events_pb2.LeadAssigned in told) != (events_pb2.AssignmentRefused in told)
        gone = shown(desk, name)
        taken = events_pb2.LeadAssigned in told
        assert (gone.status, gone.owner_version) == (leads_pb2.Lead.DELETED, 1 + taken)
        assert gone.owner == ("people/li" if taken else "")


@pytest.mark.parametrize("seed", range(8))
def test_L6_captures_deletions_and_returns_of_one_contact_at_once_lose_nobody(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    names = [desk.capture(phone=PHONE).lead.name]

    def capture() -> None:
        names.append(desk.capture(phone=PHONE, email=chance.choice(("", EMAIL))).lead.name)

    for _ in range(6):
        known = sorted(set(names))
        acts: list[Callable[[], Any]] = [capture, capture]
        acts += [lambda n=n: delete(desk, n) for n in known if chance.random() < 0.6]  # type: ignore[misc]
        acts += [lambda n=n: undelete(desk, n) for n in known if chance.random() < 0.6]  # type: ignore[misc]
        chance.shuffle(acts)
        assert set(at_once(*acts)) <= {"done", "NotFound", "NOT_DELETED"}
        _is_whole(desk)


def _is_whole(desk: Desk) -> None:
    """A phone that a living lead has is a living lead's key; living leads of one phone are to be looked at. Of three of
    one contact a key may stay with a deleted one: each is marked with one other."""
    there = {lead.name: lead for lead in _every(desk)}
    living = {name: lead for name, lead in there.items() if lead.status != leads_pb2.Lead.DELETED}
    keyed = desk.keyed()
    assert set(keyed.values()) <= there.keys()
    for lead in living.values():
        for key in (f"phone:{lead.phone}", f"email:{lead.email}"):
            assert key.endswith(":") or keyed[key] in living or lead.review_with
        if len(living) > 1 and keyed[f"phone:{lead.phone}"] != lead.name:
            assert lead.review_with


def _every(desk: Desk) -> Iterator[leads_pb2.Lead]:
    with desk.runtime.reading() as tx:
        names = list(tx.execute(sa.select(table.c.name)).scalars())
    yield from (shown(desk, name) for name in names)
