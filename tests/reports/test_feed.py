"""What is told of figures that change."""

from __future__ import annotations

import pytest

from dealwright.reports.v1.events_pb2 import FiguresChanged
from reports.storage import cells
from tests.reports.deals import Deal
from tests.reports.desk import Desk
from tests.reports.people import customer

AT, LATER = "2026-11-18T10:00", "2026-11-19T10:00"


@pytest.fixture(params=["by hand", "by the database"])
def summed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few postings are added up here, many there."""
    if request.param == "by the database":
        monkeypatch.setattr(cells, "_BY_HAND", 0)


def told(desk: Desk) -> dict[tuple[str, str], list[str]]:
    """Whose figures of what changed."""
    found = [event for event in desk.announced() if isinstance(event, FiguresChanged)]
    assert len({(one.resource, one.verb) for one in found}) == len(found)
    return {(one.resource, one.verb): list(one.holders) for one in found}


@pytest.mark.usefixtures("summed")
def test_B34_what_changed_is_told_of_whose_it_is_and_not_of_what_it_was(desk: Desk) -> None:
    told(desk)
    desk.hear(
        *Deal("opportunities/a", AT, 1000, "people/li").win(AT).told,
        *Deal("opportunities/b", AT, 1000, "people/wang").lose(AT).told,
    )
    assert told(desk) == {("opportunities", "read"): ["people/li", "people/wang"]}
    desk.hear(customer("customers/a", AT, owner="people/zhao"))
    assert told(desk) == {("customers", "read"): ["people/zhao"]}
    assert {field.name for field in FiguresChanged.DESCRIPTOR.fields} == {
        *("name", "learn_time", "resource", "verb", "holders"),
    }


def test_B34_what_is_given_away_is_told_of_both_and_what_is_no_news_of_nobody(desk: Desk) -> None:
    deal = Deal("opportunities/a", AT, 1000, "people/li")
    desk.hear(*deal.told)
    told(desk)
    desk.hear(*deal.told)
    assert told(desk) == {}
    desk.hear(*deal.give("people/wang", LATER).told)
    assert told(desk) == {("opportunities", "read"): ["people/li", "people/wang"]}
