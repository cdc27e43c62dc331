"""One import is undone alone: nothing of it is left, and nothing else is touched."""

from __future__ import annotations

from typing import Any

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


@pytest.mark.parametrize("conflict", ["UPDATE", "MERGE", "TOUCH"])
def test_I3_L30_when_and_by_what_a_lead_was_captured_is_taken_back(importer: Importer, conflict: str) -> None:
    """A row tells that the contact was known before; where it is to leave the lead alone, it does."""
    name = importer.desk.capture(OFFICE, phone="13800000001", channel="WEB_FORM").lead.name
    before = importer.content()
    rows = sheet("甲,13800000001,展会,2024-03-01 10:00", header="姓名,手机号,来源,获取时间")
    job = importer.bring(rows, on_conflict=Import.OnConflict.Value(conflict))
    lead = importer.desk.get(name)
    assert (lead.capture_time.ToDatetime().year == 2024) == (conflict != "TOUCH")
    assert (lead.channel == leads_pb2.TRADE_SHOW) == (conflict != "TOUCH")
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


def test_I3_what_an_undo_left_is_tried_again_when_it_is_undone_once_more(importer: Importer) -> None:
    _known(importer)
    before = importer.content()
    job = importer.bring(sheet(*people(2500), *people(10)))
    first, last = (importer.rows(job.name)[number].record for number in (4, 2499))
    importer.hanging = {name: ["followUps"] for name in (first, last)}
    undone = importer.undo(job.name)
    assert sorted(undone.kept) == sorted({first, last})
    taken = undone.counts.undone
    # What hangs on it still is why it stays still.
    importer.hanging = {last: ["tasks"]}
    undone = importer.undo(job.name)
    assert (undone.state, list(undone.kept), undone.counts.kept) == (Import.UNDONE, [last], 1)
    (row,) = importer.rows(job.name, "outcome = KEPT")
    assert (row.record, row.error.message_zh) == (last, "导入后已有任务，予以保留")
    assert undone.counts.undone == taken + 1, "what was taken back before is not counted once more"
    importer.hanging = {}
    undone = importer.undo(job.name)
    assert (list(undone.kept), undone.counts.kept, undone.counts.undone) == ([], 0, taken + 2)
    assert importer.content() == before
    # Where nothing is left there is nothing to try.
    assert importer.undo(job.name) == undone


def changed_since(importer: Importer) -> tuple[Any, Any]:
    """A lead that an import filled, of which somebody changed the company afterwards; and the import."""
    lead = importer.desk.capture(OFFICE, phone="13800000001").lead
    job = importer.bring(sheet("名,13800000001,,公司,"))
    importer.desk.call("UpdateLead", leads_pb2.UpdateLeadRequest(lead=leads_pb2.Lead(name=lead.name, company="改")))
    return lead, job


def test_I3_a_field_that_stays_as_somebody_left_it_stays_so_however_often_it_is_undone(importer: Importer) -> None:
    lead, job = changed_since(importer)
    first = importer.undo(job.name)
    now = importer.desk.get(lead.name)
    again = importer.undo(job.name)
    assert (list(again.kept), again.counts) == ([lead.name], first.counts)
    assert importer.desk.get(lead.name) == now


def test_I3_a_field_that_somebody_changed_since_stays_as_he_left_it(importer: Importer) -> None:
    lead, job = changed_since(importer)
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
