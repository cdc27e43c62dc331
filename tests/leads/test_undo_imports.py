"""One import is undone alone: nothing of it is left, and nothing else is touched."""

from __future__ import annotations

import pytest

from chassis.errors import Refused
from dealwright.leads.v1 import imports_pb2 as pb
from dealwright.leads.v1 import leads_pb2
from dealwright.leads.v1.events_pb2 import LeadRemoved
from leads.domain.ownership import Decided
from tests.leads.desk import ADMIN, Desk
from tests.leads.importer import OFFICE, Importer, people, sheet

Import, Row = pb.Import, pb.ImportRow


@pytest.fixture
def importer(desk: Desk, staff: None) -> Importer:
    return Importer(desk)


def _known(importer: Importer) -> None:
    """Leads that were there before: by phone, by e-mail, two that one row's phone and e-mail name."""
    for fields in (
        {"phone": "13800000001", "company": "旧公司"},
        {"email": "c2@example.com"},
        {"phone": "13800000003"},
        {"email": "c3@example.com"},
    ):
        importer.desk.capture(OFFICE, **fields)


def test_I3_an_undone_import_leaves_nothing_behind(importer: Importer) -> None:
    _known(importer)
    before = importer.content()
    job = importer.bring(sheet(*people(2500), *people(10), "又,13800000001,neu@example.com,另一家,留言"))
    assert importer.content() != before
    undone = importer.undo(job.name)
    assert (undone.state, undone.counts.kept, list(undone.kept)) == (Import.UNDONE, 0, [])
    assert importer.content() == before


@pytest.mark.parametrize("conflict", ["SKIP", "UPDATE", "MERGE", "TOUCH"])
def test_I3_whatever_was_chosen_for_known_leads_is_taken_back(importer: Importer, conflict: str) -> None:
    _known(importer)
    before = importer.content()
    header = "姓名,手机号,邮箱,公司,标签,城市"
    rows = (f"名{n},1380000000{n},c{n}@example.com,新公司{n},新标签,上海" for n in range(6))
    job = importer.bring(sheet(*rows, header=header), on_conflict=Import.OnConflict.Value(conflict))
    importer.undo(job.name)
    assert importer.content() == before


def test_I3_an_undo_leaves_another_imports_leads_alone(importer: Importer) -> None:
    kept = importer.bring(sheet(*people(20)))
    before = importer.content()
    gone = importer.bring(sheet(*people(20, first=10)))
    importer.undo(gone.name)
    assert importer.content() == before
    assert importer.get(kept.name).state == Import.SUCCEEDED


def test_I3_leads_that_the_rules_gave_away_are_gone_and_the_owner_is_told(importer: Importer) -> None:
    before = importer.content()
    job = importer.bring(sheet(*people(2)))
    first, second = (row.record for row in importer.rows(job.name))
    importer.desk.assign(first, "people/li")
    importer.desk.announced()
    importer.undo(job.name)
    told = importer.desk.announced(LeadRemoved)
    assert {(e.lead, e.owner, e.owner_version, e.source) for e in told} == {
        (first, "people/li", 1, job.name),
        (second, "", 0, job.name),
    }
    assert importer.content() == before
    importer.desk.decide(Decided(second, "people/li", 0, 2))  # a decision that was under way finds nobody
    assert importer.content() == before


def test_I3_leads_that_somebody_worked_on_stay_and_are_named(importer: Importer) -> None:
    job = importer.bring(sheet(*people(5)))
    names = [row.record for row in importer.rows(job.name)]
    importer.desk.assign(names[0], "people/li")
    importer.desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=names[0]))
    importer.desk.call("UpdateLead", leads_pb2.UpdateLeadRequest(lead=leads_pb2.Lead(name=names[1], company="改")))
    importer.desk.capture(ADMIN, phone="13800000002", text="我又来了")
    undone = importer.undo(job.name)
    assert sorted(undone.kept) == sorted(names[:3])
    assert (undone.counts.kept, undone.counts.undone) == (3, 2)
    kept = importer.rows(job.name, "outcome = KEPT")
    assert {row.error.reason for row in kept} == {"WORKED_ON"}
    assert importer.desk.count("leads") == 3


def test_I3_leads_on_which_something_of_another_service_hangs_stay_and_say_what(importer: Importer) -> None:
    job = importer.bring(sheet(*people(3)))
    names = [row.record for row in importer.rows(job.name)]
    importer.hanging = {names[1]: ["tasks", "attachments"]}
    undone = importer.undo(job.name)
    assert (list(undone.kept), undone.counts.undone) == ([names[1]], 2)
    (row,) = importer.rows(job.name, "outcome = KEPT")
    assert (row.error.reason, row.error.message_zh) == ("IN_USE", "导入后已有任务、附件，予以保留")
    assert importer.desk.count("leads") == 1


def test_I3_a_field_that_somebody_changed_since_stays_as_he_left_it(importer: Importer) -> None:
    lead = importer.desk.capture(OFFICE, phone="13800000001").lead
    job = importer.bring(sheet("名,13800000001,,公司,"))
    importer.desk.call("UpdateLead", leads_pb2.UpdateLeadRequest(lead=leads_pb2.Lead(name=lead.name, company="改")))
    undone = importer.undo(job.name)
    after = importer.desk.get(lead.name)
    assert (after.full_name, after.company) == ("", "改")
    assert list(undone.kept) == [lead.name]


def test_I3_after_an_undo_the_same_file_can_be_imported_again(importer: Importer) -> None:
    content = sheet(*people(10))
    first = importer.bring(content)
    importer.undo(first.name)
    second = importer.bring(content)
    assert second.name != first.name
    assert importer.desk.count("leads") == 10
    assert importer.undo(first.name).state == Import.UNDONE  # a second click on undo
    assert importer.desk.count("leads") == 10


def test_I3_a_cancelled_import_stops_where_it_is_and_can_be_undone(importer: Importer) -> None:
    job = importer.begin(sheet(*people(15_000)))
    while importer.get(job.name).done_rows == 0:
        importer.work(1)
    importer.call("CancelImport", pb.CancelImportRequest(name=job.name))
    importer.work()
    done = importer.get(job.name)
    assert (done.state, 0 < done.done_rows < 15_000) == (Import.CANCELLED, True)
    importer.undo(job.name)
    assert importer.desk.count("leads") == 0
    assert importer.desk.count("touchpoints") == 0


def test_I3_what_was_only_looked_at_cannot_be_undone(importer: Importer) -> None:
    job = importer.bring(sheet(*people(1)), validate_only=True)
    with pytest.raises(Refused, match="taken in"):
        importer.call("UndoImport", pb.UndoImportRequest(name=job.name))
