"""The whole deal on both deployments: what `make journey` plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.api import Api
from tests.journeys.deal import LEADS, PASSWORD, Book
from tests.journeys.journey import ENVIRONMENT, deployment

_STATES = [
    ("lead", "CONTACTED"),
    ("lead", "QUALIFIED"),
    ("opportunity", "need-clear; quote refused, there is no quotation"),
    ("opportunity", "quote"),
    ("opportunity", "quote; negotiation refused, there are no two follow-ups"),
    ("opportunity", "negotiation"),
    ("quote", "APPROVED by 销售总监, 财务总监"),
    ("contract", "SIGNED"),
    ("opportunity", "WON"),
    ("customer", "VIP"),
]


def test_X3_X5_ten_leads_go_from_a_web_form_to_the_bank(played: tuple[int, Book]) -> None:
    paid, book = played
    assert paid == LEADS
    for number in range(1, LEADS + 1):
        passed = [(record, state) for of, record, state in book.states if of == number]
        assert [state for state in passed if state in _STATES] == _STATES
        assert passed[-2][0] == "payment"
        assert passed[-2][1].endswith("still to come 0")


def test_the_deployment_that_make_journey_starts_lets_the_administrator_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ENVIRONMENT, "PORT": "0", "GRPC_PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    with deployment(tmp_path, cluster=False) as url:
        assert Api(url, "admin", PASSWORD).me["role"] == "admin"
