"""How many of the fields that records should have, have a value."""

from __future__ import annotations

from typing import Any

import pytest

from dealwright.leads.v1.leads_pb2 import Channel
from dealwright.reports.v1 import reports_pb2 as pb
from dealwright.reports.v1.events_pb2 import TaskRequested
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, Desk
from tests.reports.exported import Format, export
from tests.reports.leads import Lead
from tests.reports.people import customer

NOVEMBER = "2026-11"
WHEN = "2026-11-02T10:00"
WEB = Channel.Value("WEB_FORM")
FULL: dict[str, Any] = {"phone": "+8613800000000", "channel": WEB, "industry": "物流", "employees": 9}


def _house(desk: Desk) -> None:
    """Of Li: a lead that has all and one that has neither name, phone nor company; of Wang: one without a phone. A
    customer each, Wang's without industry and size. Of Li an opportunity with nothing but an amount."""
    whole = Lead("leads/whole", WHEN, company="甲").assign("people/li", WHEN)
    poor = Lead("leads/poor", WHEN, without=("name", "phone")).assign("people/li", WHEN)
    other = Lead("leads/other", WHEN, company="乙", without=("phone",)).assign("people/wang", WHEN)
    deal = Deal("opportunities/poor", WHEN)
    good = Deal("opportunities/good", WHEN, owner="people/wang")
    good.fields.update(customer="customers/a", expected_close_date="2026-12-01", lead="leads/other")
    desk.hear(
        *whole.told,
        *poor.told,
        *other.told,
        customer("customers/a", WHEN, **FULL),
        customer("customers/b", WHEN, owner="people/wang", phone="+8613800000001", channel=WEB),
        *deal.told,
        *good.give("people/wang", WHEN).told,
    )


def _records(desk: Desk, kpi: str, measure: str = "", **asked: Any) -> set[str]:
    request = pb.ListRecordsRequest(parent=f"reports/{kpi}", period=NOVEMBER, measure=measure, **asked)
    return {one.name for one in desk.call("ListRecords", request).records}


def test_X2_of_the_fields_that_records_should_have_how_many_have_a_value(desk: Desk) -> None:
    _house(desk)
    assert desk.figure("lead-completeness", period=NOVEMBER) == pytest.approx(1 - 4 / 12)
    assert desk.figure("customer-completeness", period=NOVEMBER) == pytest.approx(1 - 2 / 8)
    assert desk.figure("opportunity-completeness", period=NOVEMBER) == pytest.approx(1 - 3 / 8)
    # By their number, not by the mean of the three shares.
    assert desk.figure("data-completeness", period=NOVEMBER) == pytest.approx(1 - 9 / 28)
    assert desk.figure("data-completeness", period="2026-10") is None
    assert desk.figures("data-completeness", period=NOVEMBER, group_by=["owner"]) == {
        "people/li": pytest.approx(1 - 6 / 16),
        "people/wang": pytest.approx(1 - 3 / 12),
    }
    seen = [desk.figure("data-completeness", who, period=NOVEMBER) for who in (ADMIN, BOSS, LI, WANG)]
    assert seen == [pytest.approx(1 - share) for share in (9 / 28, 6 / 16, 6 / 16, 3 / 12)]


def test_X2_the_incomplete_records_are_listed_by_what_they_lack_and_become_tasks(desk: Desk) -> None:
    _house(desk)
    asked: dict[str, Any] = {"period": NOVEMBER, "group_by": ["detail"]}
    assert desk.figures("leads-incomplete", **asked) == {"NAME+PHONE+COMPANY": 1, "PHONE": 1}
    assert desk.figures("customers-incomplete", **asked) == {"INDUSTRY+SIZE": 1}
    assert desk.figures("opportunities-incomplete", **asked) == {"CUSTOMER+CLOSE_DATE+SOURCE": 1}
    assert _records(desk, "data-completeness", "leads_blanks") == {"leads/poor", "leads/other"}
    assert _records(desk, "data-completeness", "customers_blanks") == {"customers/b"}
    assert _records(desk, "data-completeness", "opportunities_blanks") == {"opportunities/poor"}
    assert _records(desk, "data-completeness", "leads") == {"leads/whole", "leads/poor", "leads/other"}
    assert _records(desk, "leads-incomplete", filter="detail = PHONE") == {"leads/other"}
    desk.announced()
    request = pb.CreateTasksRequest(name="reports/data-completeness", period=NOVEMBER, measure="leads_blanks")
    assert desk.call("CreateTasks", request).tasks == 2
    told = {one.record: one.owner for one in desk.announced() if isinstance(one, TaskRequested)}
    assert told == {"leads/poor": "people/li", "leads/other": "people/wang"}


def test_X2_what_is_filled_in_counts_at_once_and_what_was_known_then_stays(desk: Desk) -> None:
    _house(desk)
    lead = Lead("leads/other", WHEN)
    lead.correct("2026-11-20T10:00", "华东", full_name="王工", phone="+8613800000002", company="乙")
    desk.hear(lead.told[-1])
    desk.hear(customer("customers/b", WHEN, 2, owner="people/wang", **FULL))
    assert desk.figure("lead-completeness", period=NOVEMBER) == pytest.approx(1 - 3 / 12)
    assert desk.figure("customer-completeness", period=NOVEMBER) == 1
    assert desk.figure("lead-completeness", period=NOVEMBER, as_of="2026-11-19T10:00") == pytest.approx(1 - 4 / 12)
    # One that lost what it had is incomplete, and one that is gone is none.
    lead.correct("2026-11-21T10:00", "华东", full_name="王工")
    desk.hear(lead.told[-1], *Lead("leads/poor", WHEN).delete("2026-11-21T10:00").told)
    assert desk.figures("leads-incomplete", period=NOVEMBER, group_by=["detail"]) == {"PHONE+COMPANY": 1}


def test_X2_B33_on_paper_what_is_missing_is_told_in_words(desk: Desk) -> None:
    _house(desk)
    asked: dict[str, Any] = {"group_by": ["detail"], "period": NOVEMBER}
    rows = exported.lines(export(desk, "customers-incomplete", Format.CSV, **asked))
    assert [row[0] for row in rows[1:-1]] == ["缺行业、缺规模"]
    english = exported.lines(export(desk, "customers-incomplete", Format.CSV, **asked, language="en"))
    assert [row[0] for row in english[1:-1]] == ["No industry, No size"]
