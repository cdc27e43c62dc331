"""What becomes of a deal's papers when the deal is over: lost, or deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts import papers as p
from tests.contracts.desk import OPPORTUNITY, Desk, refused
from tests.contracts.papers import Papers, day

OVER = pytest.mark.parametrize("over", [{"open": False}, {"deleted": True}], ids=["lost", "deleted"])


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


@OVER
def test_K1_a_contract_of_a_deal_that_is_over_is_neither_submitted_nor_signed(
    over: dict[str, Any], papers: Papers
) -> None:
    desk = papers.desk
    draft, agreed, old = (papers.draw(100, opportunity=OPPORTUNITY) for _ in range(3))
    for one in (agreed, old):
        assert papers.do("SubmitContract", one).status == p.APPROVED
    desk.deal(version=2, **over)
    with refused("NOT_OPEN"):
        papers.do("SubmitContract", draft)
    with refused("NOT_OPEN"):
        papers.do("SignContract", agreed)
    assert [papers.get(one).status for one in (draft, agreed)] == [p.DRAFT, p.APPROVED]
    # What was signed long ago is written down whatever became of the deal since.
    assert papers.do("SignContract", old, sign_date=day(-30), historical=True).status == p.SIGNED
    desk.deal(version=3)
    assert papers.do("SubmitContract", draft).status == p.APPROVED
    assert papers.do("SignContract", agreed).status == p.SIGNED
