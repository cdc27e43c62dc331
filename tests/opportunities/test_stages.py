"""Stages, gates, and what becomes of an opportunity."""

from __future__ import annotations

from typing import Any

import pytest

from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities.usecases import blueprint
from tests.opportunities.desk import ADMIN, BOSS, LI, Desk, money, refused

OPEN, WON, LOST, ON_HOLD = pb.Opportunity.OPEN, pb.Opportunity.WON, pb.Opportunity.LOST, pb.Opportunity.ON_HOLD


def company(desk: Desk, *gates: dict[str, Any], **more: Any) -> None:
    """A pipeline of the company's own, whose second stage has these gates (O15)."""
    stages = [
        {"id": "talk", "displayName": "谈", "probability": 20, **more},
        {"id": "offer", "displayName": "报", "probability": 60, "gates": list(gates)},
        {"id": "deal", "displayName": "成", "probability": 100, "kind": "WON"},
    ]
    content = {"pipelines": {"ours": {"displayName": "我们的", "default": True, "stages": stages}}}
    with desk.runtime.transaction(ADMIN) as tx:
        blueprint.apply(tx, content, blueprint.read(tx)[1])


@pytest.mark.parametrize(
    ("feature", "pipeline", "stages"),
    [
        ("O9", "six-stage", "first-visit need-clear quote negotiation won lost"),
        ("O11", "seven-stage", "first-contact needs-analysis solution commercial-negotiation won lost on-hold"),
        ("O12", "five-stage", "first-contact need-confirmation proposal-quote negotiation close"),
        ("O13", "four-stage", "lead intent quote won"),
        (
            "O14",
            "lifecycle",
            "cleansing first-contact need-confirmation proposal-quote contract-approval delivery invoicing-payment",
        ),
    ],
)
def test_O9_O11_O12_O13_O14_the_stage_sets_are_there(desk: Desk, feature: str, pipeline: str, stages: str) -> None:
    found = desk.call("GetPipeline", pb.GetPipelineRequest(name=f"pipelines/{pipeline}"))
    assert [stage.id for stage in found.stages] == stages.split(), feature
    assert found.is_default == (feature == "O9")
    assert desk.open(pipeline=found.name).stage == stages.split()[0]


def test_O10_a_deal_goes_from_the_first_visit_to_won_and_every_move_is_kept(desk: Desk) -> None:
    made = desk.open(amount=money(80_000), products=["WMS"])
    assert (made.stage, made.win_probability) == ("first-visit", 10)
    desk.ready(made.name)
    at = desk.move(made.name, "need-clear", "quote", "negotiation")
    assert (at.stage, at.win_probability, at.status) == ("negotiation", 80, OPEN)
    won = desk.act("Win", made.name)
    assert (won.stage, won.status, won.win_probability) == ("won", WON, 100)
    assert won.HasField("close_time")
    moves = [(m.from_stage, m.to_stage, m.from_status, m.to_status, m.actor, m.forced) for m in desk.history(made.name)]
    who = ("people/li", False)
    assert moves == [
        ("", "first-visit", 0, OPEN, *who),
        ("first-visit", "need-clear", OPEN, OPEN, *who),
        ("need-clear", "quote", OPEN, OPEN, *who),
        ("quote", "negotiation", OPEN, OPEN, *who),
        ("negotiation", "won", OPEN, WON, *who),
    ]
    events = desk.announced()
    assert sum(isinstance(event, events_pb2.StageChanged) for event in events) == 4
    (order,) = [event for event in events if isinstance(event, events_pb2.OpportunityWon)]
    assert (order.opportunity, order.amount.units, list(order.products)) == (made.name, 80_000, ["WMS"])


def test_O32_what_was_won_is_announced_once(desk: Desk) -> None:
    made = desk.open(pipeline="pipelines/four-stage")
    desk.move(made.name, "intent", "quote", "won")
    with refused("NOT_OPEN"):
        desk.act("Win", made.name)
    with refused("NOT_OPEN"):
        desk.move(made.name, "quote")
    assert len(desk.announced(events_pb2.OpportunityWon)) == 1


def test_O39_delivery_and_payment_stay_in_the_chain_of_what_was_won(desk: Desk) -> None:
    made = desk.open(pipeline="pipelines/lifecycle")
    desk.move(made.name, "first-contact")
    desk.ready(made.name)
    desk.move(made.name, "need-confirmation", "proposal-quote", "contract-approval", "delivery")
    paid = desk.move(made.name, "invoicing-payment")
    assert (paid.stage, paid.status) == ("invoicing-payment", WON)
    assert len(desk.announced(events_pb2.OpportunityWon)) == 1


def test_O20_a_stage_jump_is_refused_and_forced_by_who_may_with_a_reason_that_is_kept(desk: Desk) -> None:
    made = desk.open()
    with refused("JUMP", "opportunity.stage"):
        desk.move(made.name, "quote")
    with refused("JUMP", "opportunity.stage"):
        desk.act("Win", made.name)
    with refused("INVALID", "reason"):
        desk.move(made.name, "quote", who=BOSS, force=True)
    with refused("DENIED"):
        desk.move(made.name, "quote", force=True, reason="客户着急")
    assert desk.get(made.name).stage == "first-visit"
    forced = desk.move(made.name, "quote", who=BOSS, force=True, reason="客户着急")
    assert forced.stage == "quote"
    last = desk.history(made.name)[-1]
    assert (last.actor, last.forced, last.reason) == ("people/boss", True, "客户着急")
    (event,) = desk.announced(events_pb2.StageChanged)
    assert (event.forced, event.reason) == (True, "客户着急")
    # Back is no jump, and where no rule was in the way nothing was forced.
    assert desk.move(made.name, "first-visit").stage == "first-visit"
    desk.move(made.name, "need-clear", who=BOSS, force=True, reason="正常")
    assert not desk.history(made.name)[-1].forced
    with refused("INVALID", "opportunity.stage"):
        desk.move(made.name, "nowhere")
    with refused("JUMP", "opportunity.stage"):
        desk.open(stage="negotiation")


def test_O20_O22_a_gate_says_everything_that_is_missing_and_opens_when_it_is_there(desk: Desk) -> None:
    company(
        desk,
        {"kind": "FILLED", "field": "expectedCloseDate"},
        {"kind": "FILLED", "field": "custom.预算"},
        {"kind": "CHECKLIST"},
        {"kind": "AMOUNT", "minimum": "10000.50", "currency": "CNY"},
        {
            "kind": "CONDITION",
            "expression": "importance == 'IMPORTANT' || products.exists(p, p == 'WMS')",
            "message": "only important ones",
            "messageZh": "仅限重要商机",
        },
        checklist=[{"id": "demo", "title": "已演示"}, {"id": "sheet", "title": "竞品表"}],
    )
    made = desk.open(amount=money(10_000), expected_close_date="2099-01-01")
    desk.change(made.name, mask="expected_close_date")
    with refused(
        "GATE",
        "opportunity.expected_close_date",
        "opportunity.custom.预算",
        "opportunity.checklist_done",
        "opportunity.checklist_done",
        "opportunity.amount",
        "opportunity.stage",
    ):
        desk.move(made.name, "offer")
    desk.change(made.name, checklist_done=["talk/demo", "talk/sheet"], amount=money(10_000, 500_000_000))
    with refused("INVALID", "opportunity.checklist_done"):
        desk.change(made.name, checklist_done=["talk/other"])
    with refused("GATE", "opportunity.expected_close_date", "opportunity.custom.预算", "opportunity.stage"):
        desk.move(made.name, "offer")
    # What one change fills in, its own move sees; a move that is refused leaves nothing of it behind.
    patch = pb.Opportunity(name=made.name)
    patch.custom.update({"预算": 1})
    mask = "stage,custom.预算,products"
    with refused("GATE", "opportunity.expected_close_date"):
        desk.change(made.name, mask=mask, stage="offer", custom=patch.custom, products=["WMS"])
    assert list(desk.get(made.name).products) == []
    mask = f"{mask},expected_close_date"
    moved = desk.change(
        made.name, mask=mask, stage="offer", custom=patch.custom, products=["WMS"], expected_close_date="2099-01-01"
    )
    assert moved.stage == "offer"


def test_O20_another_currency_does_not_reach_a_minimum(desk: Desk) -> None:
    company(desk, {"kind": "AMOUNT", "minimum": 100, "currency": "CNY"})
    made = desk.open(amount=money(1_000_000, currency="USD"))
    with refused("GATE", "opportunity.amount"):
        desk.move(made.name, "offer")
    desk.change(made.name, amount=money(100))
    assert desk.move(made.name, "offer").stage == "offer"


def test_O20_a_forced_gate_is_kept_as_forced(desk: Desk) -> None:
    company(desk, {"kind": "FILLED", "field": "need"})
    made = desk.open()
    desk.move(made.name, "offer", who=BOSS, force=True, reason="先报价")
    assert [(m.forced, m.reason) for m in desk.history(made.name)] == [(False, ""), (True, "先报价")]


def test_O31_a_lost_deal_needs_a_reason(desk: Desk) -> None:
    made = desk.open(amount=money(5))
    desk.move(made.name, "need-clear")
    for reason in ("", "  "):
        with refused("INVALID", "reason"):
            desk.act("Lose", made.name, reason=reason)
    with refused("INVALID", "reason"):
        desk.move(made.name, "lost")
    lost = desk.act("Lose", made.name, reason="价格")
    assert (lost.stage, lost.status, lost.status_reason, lost.win_probability) == ("lost", LOST, "价格", 0)
    (event,) = desk.announced(events_pb2.OpportunityLost)
    assert (event.stage, event.reason, event.amount.units) == ("need-clear", "价格", 5)
    with refused("NOT_OPEN"):
        desk.act("Lose", made.name, reason="再次")
    # In a pipeline without such a stage it keeps the one it is in.
    light = desk.open(pipeline="pipelines/four-stage")
    lost = desk.act("Lose", light.name, reason="价格")
    assert (lost.stage, lost.status) == ("lead", LOST)


def test_V1_on_hold_keeps_the_stage_and_comes_back_to_it(desk: Desk) -> None:
    for pipeline, second, held in (
        ("six-stage", "need-clear", "need-clear"),
        ("seven-stage", "needs-analysis", "on-hold"),
    ):
        made = desk.open(pipeline=f"pipelines/{pipeline}")
        desk.move(made.name, second)
        stopped = desk.act("Hold", made.name, reason="客户停产")
        assert (stopped.stage, stopped.status, stopped.status_reason) == (held, ON_HOLD, "客户停产")
        with refused("NOT_OPEN"):
            desk.act("Hold", made.name)
        with refused("NOT_OPEN"):
            desk.move(made.name, second if held != second else "quote")
        again = desk.act("Resume", made.name)
        assert (again.stage, again.status, again.status_reason) == (second, OPEN, "")
        with refused("NOT_ON_HOLD"):
            desk.act("Resume", made.name)


def test_O11_one_that_is_on_hold_may_be_lost_and_opened_again_where_it_was(desk: Desk) -> None:
    made = desk.open(pipeline="pipelines/seven-stage")
    desk.move(made.name, "needs-analysis", "on-hold")
    desk.act("Lose", made.name, reason="放弃")
    with refused("INVALID", "reason"):
        desk.act("Reopen", made.name)
    back = desk.act("Reopen", made.name, reason="客户回来")
    assert (back.stage, back.status, back.HasField("close_time")) == ("needs-analysis", OPEN, False)
    with refused("NOT_CLOSED"):
        desk.act("Reopen", made.name, reason="再次")


def test_O32_only_who_leads_others_opens_a_won_deal_again(desk: Desk) -> None:
    made = desk.open(pipeline="pipelines/four-stage")
    desk.move(made.name, "intent", "quote", "won")
    with refused("DENIED"):
        desk.act("Reopen", made.name, LI, reason="退单")
    assert desk.act("Reopen", made.name, BOSS, reason="退单").stage == "quote"


def test_O5_a_probability_set_by_hand_stays_through_its_own_move(desk: Desk) -> None:
    made = desk.open(win_probability=42)
    assert made.win_probability == 42
    moved = desk.change(made.name, stage="need-clear", win_probability=55)
    assert moved.win_probability == 55
    desk.ready(made.name)
    assert desk.move(made.name, "quote").win_probability == 50


def test_O23_O38_the_board_counts_stages_and_sums_amounts_of_what_one_sees(desk: Desk) -> None:
    for amount in (money(100, 500_000_000), money(200), money(5, currency="USD"), None):
        desk.open(amount=amount)
    desk.move(desk.open(amount=money(7)).name, "need-clear")
    desk.open(ADMIN, amount=money(10**11))

    def board(who: Any, filter: str = "") -> list[tuple[str, int, str]]:
        answer = desk.call("SummarizeOpportunities", pb.SummarizeOpportunitiesRequest(filter=filter), who)
        return [
            (row.stage, row.count, f"{row.amount.units}.{row.amount.nanos:09} {row.amount.currency_code}".strip())
            for row in answer.rows
        ]

    assert sorted(board(LI)) == [
        ("first-visit", 1, "0.000000000"),
        ("first-visit", 1, "5.000000000 USD"),
        ("first-visit", 2, "300.500000000 CNY"),
        ("need-clear", 1, "7.000000000 CNY"),
    ]
    assert [row[0] for row in board(LI)] == [*["first-visit"] * 3, "need-clear"]
    assert board(LI, "stage = need-clear") == [("need-clear", 1, "7.000000000 CNY")]
    assert ("first-visit", 3, "100000000300.500000000 CNY") in board(ADMIN)
    assert board(ADMIN, "status = WON") == []


def test_O15_pipelines_are_data_and_wrong_ones_are_refused_with_their_paths(desk: Desk) -> None:
    def plan(change: Any) -> Any:
        with desk.runtime.reading(ADMIN) as tx:
            content = blueprint.read(tx)[0]
            change(content["pipelines"])
            return blueprint.plan(tx, content)

    def stages(pipelines: Any) -> Any:
        return pipelines["six-stage"]["stages"]

    assert plan(lambda pipelines: None) == ([], 0)
    (changed,) = plan(lambda pipelines: stages(pipelines)[1].update(probability=31))[0]
    assert changed[0] == "pipelines.six-stage.stages"
    at = "pipelines.six-stage.stages"
    wrong: list[tuple[Any, str]] = [
        (lambda p: p.clear(), "pipelines"),
        (lambda p: p["six-stage"].pop("default"), "pipelines"),
        (lambda p: stages(p)[0].update(id="First"), f"{at}[0].id"),
        (lambda p: stages(p)[0].update(kind="WON"), at),
        (lambda p: stages(p).reverse(), at),
        (lambda p: stages(p)[1].update(probability=101), f"{at}[1].probability"),
        (lambda p: stages(p)[1].update(gates=[{"kind": "PRAYER"}]), f"{at}[1].gates[0].kind"),
        (lambda p: stages(p)[1].update(gates=[{"kind": "ATTACHMENT"}]), f"{at}[1].gates[0].attachment"),
        (lambda p: stages(p)[1].update(gates=[{"kind": "FOLLOW_UPS", "count": 0}]), f"{at}[1].gates[0].count"),
        (lambda p: stages(p)[1].update(gates=[{"kind": "APPROVAL"}]), f"{at}[1].gates[0].flow"),
        (lambda p: p["six-stage"].update(confirmBy="god"), "pipelines.six-stage.confirmBy"),
        (lambda p: [way.update(openQualified=True) for way in p.values()], "pipelines"),
        (lambda p: stages(p)[1].update(gates=[{"kind": "FILLED", "field": "shoe"}]), f"{at}[1].gates[0].field"),
        (
            lambda p: stages(p)[1].update(gates=[{"kind": "CONDITION", "expression": "amount >"}]),
            f"{at}[1].gates[0].expression",
        ),
        (
            lambda p: stages(p)[1].update(gates=[{"kind": "CONDITION", "expression": "amount + 1"}]),
            f"{at}[1].gates[0].expression",
        ),
        (lambda p: stages(p)[1].update(gates=[{"kind": "AMOUNT", "minimum": 1.5}]), f"{at}[1].gates[0].minimum"),
        (lambda p: stages(p)[1].update(gates=[{"kind": "CHECKLIST", "fromStage": "x"}]), f"{at}[1].gates[0].fromStage"),
        (lambda p: stages(p)[1].update(colour="red"), f"{at}[1].colour"),
    ]
    for change, path in wrong:
        with pytest.raises(Exception) as problem:
            plan(change)
        assert path in [violation.field for violation in problem.value.violations], (path, problem.value)  # type: ignore[attr-defined]


def test_O15_a_stage_that_opportunities_are_in_does_not_go(desk: Desk) -> None:
    desk.open()
    with refused("INVALID", "pipelines.six-stage.stages"):
        company(desk)
    with desk.runtime.transaction(ADMIN) as tx:
        content, version = blueprint.read(tx)
        content["pipelines"] = {"six-stage": content["pipelines"]["six-stage"]}
        assert blueprint.apply(tx, content, version)[1] == 1
    with refused("STALE"), desk.runtime.transaction(ADMIN) as tx:
        blueprint.apply(tx, content, version)
    with refused("INVALID", "opportunity.pipeline"):
        desk.open(pipeline="pipelines/four-stage")
