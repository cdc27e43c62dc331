"""Values that nothing can have are refused where they are written, not counted as nothing."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Invalid
from dealwright.activities.v1.activities_pb2 import FollowUp, Task
from dealwright.contracts.v1.contracts_pb2 import Contract
from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.leads.v1.leads_pb2 import Channel
from dealwright.reports.v1 import exports_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.customer import STAGES
from reports.domain.facts import FACTS, vocabulary
from reports.domain.posting import DIMENSIONS
from reports.servicer.exports import ExportServicer
from tests.reports.desk import Desk


def make(desk: Desk, fact: str, **where: str) -> pb.Kpi:
    kpi = pb.Kpi(display_name="x", unit=pb.Kpi.COUNT, formula="n")
    measure = kpi.measures.add(id="n", fact=fact)
    for dimension, value in where.items():
        measure.where.add(dimension=dimension, values=[value])
    made: pb.Kpi = desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id=f"k{desk.number()[-8:]}", kpi=kpi))
    return made


@pytest.mark.parametrize(
    ("fact", "dimension", "value", "near"),
    [
        ("lead.captured", "channel", "WECHATT", "WECHAT"),
        ("lead.captured", "channel", "wechat", "WECHAT"),
        ("lead.captured", "channel", "WEBFORM", "WEB_FORM"),
        ("activity.followed_up", "channel", "PHONE_400", "CALL"),
        ("activity.followed_up", "detail", "UNREACHED", "NOT_REACHED"),
        ("lead.open", "detail", "CONTACTET", "CONTACTED"),
        ("lead.answered", "detail", "3h", "4h"),
        ("deal.open", "detail", "ONHOLD", "ON_HOLD"),
        ("task.done", "detail", "late", "LATE"),
        ("customer.present", "detail", "D", "A"),
        ("customer.present", "stage", "INTEND", "INTENT"),
        ("lead.incomplete", "detail", "COMPANY+PHONE", "PHONE+COMPANY"),
    ],
)
def test_B11_a_typo_in_what_a_kpi_counts_is_refused_with_the_nearest_there_is(
    desk: Desk, fact: str, dimension: str, value: str, near: str
) -> None:
    with pytest.raises(Invalid) as refused:
        make(desk, fact, **{dimension: value})
    (said,) = refused.value.violations
    assert said.field == "kpi.measures[0].where[0].values"
    for words in (said.english, said.chinese):
        assert value in words
        assert near in words
    assert make(desk, fact, **{dimension: near}).version == 1


@pytest.mark.parametrize(
    ("fact", "dimension", "value"),
    [
        ("deal.won", "channel", "老客户介绍"),  # where deals come from people write as they like
        ("lead.captured", "region", "华东"),
        ("deal.entered", "stage", "first-visit"),
        ("payment.received", "detail", "支票"),
        ("lead.captured", "channel", ""),
    ],
)
def test_B11_what_people_name_themselves_is_not_refused(desk: Desk, fact: str, dimension: str, value: str) -> None:
    assert make(desk, fact, **{dimension: value}).version == 1


def test_B39_a_typo_in_a_filter_is_refused_where_it_is_asked_for_or_saved(desk: Desk) -> None:
    wrong: dict[str, Any] = {"filter": "channel = WEBFORM"}

    def said(method: str, request: Any) -> tuple[str, str]:
        with pytest.raises(Invalid) as refused:
            desk.call(method, request)
        (one,) = refused.value.violations
        assert "did you mean WEB_FORM" in one.english
        assert "是否为 WEB_FORM" in one.chinese
        return one.field, one.english

    assert said("GetReport", pb.GetReportRequest(name="reports/leads-captured", **wrong))[0] == "filter"
    tile = pb.Board.Tile(kpi="kpis/leads-captured", chart=pb.Board.NUMBER, **wrong)
    board = pb.Board(display_name="x", period="this_month", tiles=[tile])
    asked = pb.CreateBoardRequest(board_id="mine", board=board)
    assert said("CreateBoard", asked)[0] == "board.tiles[0].filter"
    for of_them in (board, asked.board):
        of_them.tiles[0].filter = "channel = WEB_FORM"
    desk.call("CreateBoard", asked)
    assert said("GetReport", pb.GetReportRequest(name="reports/mine", **wrong))[0] == "filter"
    desk.also(ExportServicer(desk.runtime, desk.servicers[0]))
    of = exports_pb2.ExportSchedule(
        display_name="x",
        report="reports/leads-captured",
        people=["roles/manager"],
        format=exports_pb2.ExportReportRequest.XLSX,
        span=exports_pb2.ExportSchedule.WEEK,
        hour=9,
        **wrong,
    )
    schedule = exports_pb2.CreateExportScheduleRequest(export_schedule=of)
    assert said("CreateExportSchedule", schedule)[0] == "export_schedule.filter"
    # One of a board's figures has it: opportunities come from wherever people say.
    both = pb.Board(display_name="x", period="this_month", tiles=[board.tiles[0], pb.Board.Tile(kpi="kpis/won-amount")])
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="both", board=both))
    desk.call("GetReport", pb.GetReportRequest(name="reports/both", **wrong))


def test_B11_the_lists_are_those_of_the_records() -> None:
    enums: dict[tuple[str, ...], Any] = {
        vocabulary.CHANNELS: Channel,
        vocabulary.METHODS: FollowUp.Method,
        vocabulary.OUTCOMES: FollowUp.Outcome,
        vocabulary.TASKS: Task.Kind,
        vocabulary.TIERS: Customer.Tier,
        STAGES: Customer.Stage,
        vocabulary.FINANCE: Contract.FinanceMode,
    }
    for values, enum in enums.items():
        assert set(values) == {name for name, number in enum.items() if number}
    for fact, dimension in vocabulary.CLOSED:
        assert dimension in FACTS[fact].fields
        assert dimension in DIMENSIONS
