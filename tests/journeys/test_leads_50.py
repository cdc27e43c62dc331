"""A real sales team's sheet: 50 rows with repeats, wrong numbers, two date formats, a formula and some HTML."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis import clock
from tests.journeys import leads_50
from tests.journeys.desk import Desk

NEWEST_ROW = datetime(2026, 11, 21, tzinfo=UTC)
REGIONS = ("华东", "华南", "华北", "西南")
URGENT = ("急", "马上", "今天")
KEY = ("高意向", "采购")


def test_L6_L7_L9_L14_L26_I1_fifty_rows_of_a_sheet_become_leads_touchpoints_or_clear_errors(desk: Desk) -> None:
    desk.later(max(NEWEST_ROW - clock.now(), timedelta()))
    specialist = desk.hire("大客户专员", region="总部")
    staff = {region: {desk.hire(f"{region}{n}", region=region)["name"] for n in "甲乙丙"} for region in REGIONS}
    desk.step("specialist", rules=[{"phrases": list(KEY), "people": [specialist["name"]]}])
    rows = leads_50.post(desk.api, leads_50.read(leads_50.SAMPLE))
    assert len(rows) == 50
    good = [row for row in rows if "error" not in row.answer]
    wrong = [row for row in rows if "error" in row.answer]

    assert {(r.sheet["手机号"], r.sheet["邮箱"]) for r in wrong} == {
        ("1993374788", "f592@example.com"),
        ("1991067840", "k9873@example.com"),
        ("19982920836", "f6211(at)example.cn"),
        ("199 8292 0836", "F6211(AT)EXAMPLE.CN"),
    }
    fields = Counter(f["field"].rpartition(".")[2] for r in wrong for f in r.answer["error"]["fields"])
    assert fields == {"phone": 2, "email": 2}, "each says which field is wrong, and in words"
    assert all("有效" in f["message"] for r in wrong for f in r.answer["error"]["fields"])

    created = [row for row in good if row.answer["outcome"] == "CREATED"]
    touched = [row for row in good if row.answer["outcome"] == "TOUCHED"]
    assert (len(created), [row.sheet["姓名"] for row in touched]) == (44, ["冯明", "林梓涵"])
    leads = {row.answer["lead"]["name"]: desk.decided(row.answer["lead"]["name"]) for row in created}
    points = [point for lead in leads.values() for point in desk.chain(lead)]
    assert Counter(p["kind"] for p in points) == {"CAPTURED": 44, "TOUCHED": 2, "ASSIGNED": 44}
    assert all(lead.get("owner") or lead.get("statusReason") for lead in leads.values())

    decisions = {name: desk.decision(lead) for name, lead in leads.items()}
    for row in created:
        lead: dict[str, Any] = leads[row.answer["lead"]["name"]]
        said = [r.sheet["备注"] for r in good if r.answer["lead"]["name"] == lead["name"]]
        text = "\n".join(dict.fromkeys(said))
        assert ("urgent" in lead["tags"]) == any(word in text for word in URGENT), text
        assert (lead["owner"] == specialist["name"]) == any(word in text for word in KEY), text
        assert lead["text"] == text, "a formula or HTML is kept as the text it is"
    for region, people in staff.items():
        rotated = Counter(
            leads[name]["owner"]
            for name, decision in decisions.items()
            if decision["step"] == "roster" and leads[name]["region"] == region
        )
        assert set(rotated) <= people
        counts = [rotated[person] for person in people]
        assert max(counts) - min(counts) <= 1, (region, counts)
    assert sum(decision["step"] == "roster" for decision in decisions.values()) + sum(
        decision["step"] == "specialist" for decision in decisions.values()
    ) == len(leads)
