"""The pure decisions on moves, for any pipeline and any facts."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chassis.fields import FieldCheck
from chassis.money import Money, of_units
from opportunities.domain.opportunity import Status
from opportunities.domain.pipeline import (
    CheckItem,
    Facts,
    Gate,
    GateKind,
    Pipeline,
    Stage,
    gates_between,
    is_jump,
    missing,
)
from opportunities.domain.pipeline_form import from_plain, to_plain

FIELDS = ("need", "budget", "custom.size")
CONDITIONS = ("amount > 100", "title != ''")
moneys = st.builds(
    Money, st.integers(0, 10**9).map(lambda units: Decimal(units) / 10_000), st.sampled_from(("CNY", "USD"))
)
gates = st.one_of(
    st.builds(Gate, st.just(GateKind.FILLED), field=st.sampled_from(FIELDS)),
    st.just(Gate(GateKind.CHECKLIST)),
    st.builds(Gate, st.just(GateKind.AMOUNT), minimum=moneys),
    st.builds(Gate, st.just(GateKind.CONDITION), expression=st.sampled_from(CONDITIONS)),
)


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    kinds = [Status.OPEN] * draw(st.integers(1, 5)) + [Status.WON] * draw(st.integers(1, 2))
    kinds += draw(st.sampled_from(([], [Status.LOST], [Status.LOST, Status.ON_HOLD])))
    stages = [
        Stage(
            f"s{number}",
            f"阶段{number}",
            kind,
            draw(st.integers(0, 100)),
            tuple(CheckItem(f"i{item}", "做") for item in range(draw(st.integers(0, 2)))),
            tuple(draw(st.lists(gates, max_size=3))),
        )
        for number, kind in enumerate(kinds)
    ]
    return Pipeline("p", "流程", True, tuple(stages))


@st.composite
def moves(draw: st.DrawFn) -> tuple[Pipeline, str, str]:
    pipeline = draw(pipelines())
    ids = [stage.id for stage in pipeline.stages]
    return pipeline, draw(st.sampled_from(ids)), draw(st.sampled_from(ids))


facts = st.builds(
    Facts,
    filled=st.frozensets(st.sampled_from(FIELDS)),
    done=st.frozensets(st.sampled_from([f"s{s}/i{i}" for s in range(5) for i in range(2)])),
    amount=st.none() | moneys,
    conditions=st.dictionaries(st.sampled_from(CONDITIONS), st.booleans()),
)


@given(moves())
def test_O20_one_step_forward_is_no_jump_and_two_are(move: tuple[Pipeline, str, str]) -> None:
    pipeline, here, there = move
    way = list(pipeline.way)
    passed = way.index(there) - way.index(here) if here in way and there in way else 0
    assert is_jump(pipeline, here, there) == (passed > 1)


@given(moves(), facts)
def test_O20_no_gate_stands_on_the_way_back_or_aside(move: tuple[Pipeline, str, str], known: Facts) -> None:
    pipeline, here, there = move
    way = list(pipeline.way)
    if here not in way or there not in way or way.index(there) <= way.index(here):
        assert missing(pipeline, here, there, known) == ()


@given(moves(), facts)
def test_O20_what_is_missing_is_what_its_gates_ask_for_and_no_more(
    move: tuple[Pipeline, str, str], known: Facts
) -> None:
    pipeline, here, there = move
    found = missing(pipeline, here, there, known)
    asked = gates_between(pipeline, here, there)
    expected = 0
    for gate in asked:
        if gate.kind is GateKind.FILLED:
            expected += gate.field not in known.filled
        elif gate.kind is GateKind.CHECKLIST:
            left = pipeline.stage(here)
            expected += sum(f"{here}/{item.id}" not in known.done for item in left.checklist) if left else 0
        elif gate.kind is GateKind.AMOUNT:
            least = gate.minimum
            assert least is not None
            enough = known.amount is not None and (
                known.amount.currency == least.currency and known.amount.amount >= least.amount
            )
            expected += not (enough or (known.amount is None and least.amount == 0))
        else:
            expected += not (known.conditions or {}).get(gate.expression, False)
    assert len(found) == expected
    assert all(one.field and one.english and one.chinese for one in found)


@given(moves(), facts)
def test_O20_O22_whatever_is_missing_can_be_brought_and_then_nothing_is(
    move: tuple[Pipeline, str, str], known: Facts
) -> None:
    pipeline, here, there = move
    asked = gates_between(pipeline, here, there)
    if len({gate.minimum.currency for gate in asked if gate.minimum}) > 1:
        return  # no one amount is in two currencies
    amounts = [gate.minimum for gate in asked if gate.minimum]
    brought = Facts(
        known.filled | set(FIELDS),
        known.done | pipeline.items,
        max(amounts, key=lambda money: money.amount) if amounts else known.amount,
        dict.fromkeys(CONDITIONS, True),
    )
    assert missing(pipeline, here, there, brought) == ()


@given(pipelines())
def test_O15_a_pipeline_written_down_and_read_again_is_the_same(pipeline: Pipeline) -> None:
    check = FieldCheck()
    assert from_plain(to_plain((pipeline,)), check) == (pipeline,)
    assert check.violations == []


@given(st.integers(0, 10**16))
def test_O7_money_is_exact_to_the_ten_thousandth(units: int) -> None:
    money = of_units(units, "CNY")
    assert money is not None
    assert money.units == units
