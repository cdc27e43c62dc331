"""On paper nobody reads a code of ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from dealwright.activities.v1.activities_pb2 import FollowUp, Task
from dealwright.contracts.v1.contracts_pb2 import Contract
from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.leads.v1.leads_pb2 import Channel
from reports.domain import activity, lead
from reports.wire.exports.codes import called
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import Desk
from tests.reports.exported import Format, export


def _of(enum: Iterable[str]) -> set[str]:
    return {name for name in enum if not name.endswith("_UNSPECIFIED")}


CODES = {
    "channel": _of(Channel.keys()) | _of(FollowUp.Method.keys()),
    "detail": {
        *lead.BANDS,
        *(lead._OPEN.values()),
        *("RULES", "CLAIM", "MANUAL", "FORCED", "SKIPPED", "BACK", "OPEN", "ON_HOLD", "AWAITING_CONFIRMATION"),
        *(activity.ON_TIME, activity.LATE),
        *_of(FollowUp.Outcome.keys()),
        *_of(Task.Kind.keys()),
        *_of(Contract.FinanceMode.keys()),
    },
    "stage": _of(Customer.Stage.keys()),
}


@pytest.mark.parametrize(("dimension", "code"), [(name, code) for name in CODES for code in sorted(CODES[name])])
def test_B33_each_has_a_name_in_both_languages(dimension: str, code: str) -> None:
    chinese, english = called(dimension, code, True), called(dimension, code, False)
    assert chinese != code
    assert english != code or code == "API"
    assert english.isascii()
    assert not chinese.isascii()


def test_B33_what_people_typed_stands_as_they_typed_it() -> None:
    assert called("reason", "WON", True) == "WON"
    assert called("region", "WEB_FORM", True) == "WEB_FORM"
    assert called("detail", "A", True) == "A"


def test_B33_O40_departures_from_the_process_are_told_in_words(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-02T10:00").move("quote", "2026-11-03T10:00", forced=True)
    desk.hear(*deal.told)
    asked: dict[str, Any] = {"group_by": ["detail"], "period": "2026-11"}
    rows = exported.lines(export(desk, "deviations", Format.CSV, **asked))
    assert [row[0] for row in rows[1:-1]] == ["强制推进", "跳过阶段"]
    english = exported.lines(export(desk, "deviations", Format.CSV, **asked, language="en"))
    assert [row[0] for row in english[1:-1]] == ["Forced", "Skipped a stage"]
