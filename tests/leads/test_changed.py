"""Whoever counts leads hears of their corrections, and the capture of a new one tells nothing more than that."""

from __future__ import annotations

from typing import Any

from dealwright.leads.v1 import imports_pb2 as pb
from dealwright.leads.v1 import leads_pb2
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadChanged, LeadUnassigned
from leads.domain.ownership import Decided
from tests.leads.desk import ADMIN, Desk
from tests.leads.importer import OFFICE, Importer, sheet
from tests.leads.test_capture_again import correct


def _changed(desk: Desk) -> list[tuple[str, int]]:
    return [(event.lead.region, event.version) for event in desk.announced(LeadChanged)]


def test_B32_a_corrected_region_is_announced_with_the_whole_lead(desk: Desk) -> None:
    name = desk.capture(phone="13800000001", region="华东").lead.name
    assert _changed(desk) == []
    lead = correct(desk, name, region="华北")
    told = desk.announced(LeadChanged)
    assert [(one.lead.name, one.lead.region, one.version) for one in told] == [(name, "华北", int(lead.etag))]
    assert told[0].lead.capture_time == lead.capture_time


def test_B32_a_capture_that_fills_in_the_region_is_announced_and_no_other(desk: Desk) -> None:
    desk.capture(phone="13800000001")
    desk.capture(phone="13800000001", text="又来了")
    assert _changed(desk) == []
    desk.capture(phone="13800000001", region="华东")
    assert [region for region, _ in _changed(desk)] == ["华东"]
    desk.capture(phone="13800000001", region="华南")  # a touch takes nothing away
    assert _changed(desk) == []


def test_B32_an_import_and_its_undoing_announce_what_they_change(desk: Desk, staff: None) -> None:
    importer = Importer(desk)
    desk.capture(OFFICE, phone="13800000001", region="华东")
    desk.announced()
    rows = sheet("甲,13800000001,上海", header="姓名,手机号,地区")
    job = importer.bring(rows, on_conflict=pb.Import.UPDATE)
    brought = _changed(desk)
    importer.undo(job.name)
    undone = _changed(desk)
    assert [region for region, _ in brought + undone] == ["上海", "华东"]
    assert undone[0][1] > brought[0][1]


def test_a_lead_that_nobody_can_take_tells_at_which_ownership(desk: Desk) -> None:
    name = desk.capture(ADMIN, phone="13800000001").lead.name
    desk.decide(Decided(name, "", 0, 1, reason="NOBODY_THERE"))
    assert [event.owner_version for event in desk.announced(LeadUnassigned)] == [0]
    assert desk.get(name).status == leads_pb2.Lead.UNASSIGNED
    assert not desk.announced(LeadCaptured)


def test_X2_a_capture_tells_whether_it_has_a_name_and_a_phone_and_neither_of_them(desk: Desk) -> None:
    desk.capture(phone="13800000001", full_name="王工")
    desk.capture(email="wang@example.com")
    told = desk.announced(LeadCaptured)
    assert [(one.without_name, one.without_phone) for one in told] == [(False, False), (True, True)]
    assert not any("王工" in str(one) or "13800000001" in str(one) for one in told)


def test_X2_a_capture_that_fills_in_what_was_not_known_is_announced(desk: Desk) -> None:
    desk.capture(phone="13800000001")
    news: tuple[dict[str, Any], ...] = ({"company": "甲公司"}, {"full_name": "王工"}, {"email": "wang@example.com"})
    for said in news:
        desk.announced()
        desk.capture(phone="13800000001", **said)
        told = [(one.lead.company, one.lead.full_name) for one in desk.announced(LeadChanged)]
        assert told == {"company": [("甲公司", "")], "full_name": [("甲公司", "王工")]}.get(next(iter(said)), [])
    desk.capture(phone="13800000001", company="乙公司")  # another name of what was known fills in nothing
    assert not desk.announced(LeadChanged)
    # Who is known by his mail alone gets a phone.
    desk.capture(email="li@example.com")
    desk.announced()
    desk.capture(email="li@example.com", phone="13800000002")
    assert [one.lead.phone for one in desk.announced(LeadChanged)] == ["+8613800000002"]
