"""Conditions are refused when saved, with line and column, or have an answer for every lead."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.expressions import (
    ConditionSet,
    Expression,
    ExpressionError,
    compile,
)

SCHEMA = {
    "text": "string",
    "region": "string",
    "hour": "int",
    "amount": "double",
    "vip": "bool",
    "tags": "list(string)",
    "custom": "map(string, dyn)",
    "captured": "timestamp",
    "waiting": "duration",
}
LEAD: dict[str, Any] = {
    "text": "马上要采购 200 台",
    "region": "华南",
    "hour": 12,
    "amount": 1000.0,
    "vip": False,
    "tags": ["展会", "复购"],
    "custom": {"size": 40, "city": "广州"},
    "captured": datetime(2026, 10, 1, tzinfo=UTC),
    "waiting": timedelta(minutes=31),
}


def refusal(source: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile(source, SCHEMA)
    problem = caught.value
    assert problem.line >= 1
    assert problem.column >= 1
    assert problem.message
    assert problem.chinese.startswith(f"第 {problem.line} 行第 {problem.column} 列")
    return problem


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ('text.contains("马上")', True),
        ('region == "华南" && hour >= 9 && hour < 18', True),
        ('region in ["华东", "华北"]', False),
        ("amount > 999.5 || vip", True),
        ('"展会" in tags', True),
        ('tags.exists(tag, tag.startsWith("复"))', True),
        ('tags.filter(tag, tag != "展会").size() == 1', True),
        ('tags.all(a, a != "") && tags.exists(b, b == "展会")', True),
        ("custom.size > 30", True),
        ("has(custom.colour)", False),
        ('captured > timestamp("2026-09-30T00:00:00Z")', True),
        ('waiting > duration("30m")', True),
        ('text.matches("采购 *[0-9]+")', True),
        ('region == "华南" // a comment ends the line', True),
        ('text == "a // no comment ( ["', False),
        (r"""text == r'\d (' || region == r"华南" """, True),
    ],
)
def test_L7_a_condition_is_true_or_false_of_a_lead(source: str, answer: bool) -> None:
    expression = compile(source, SCHEMA)
    assert expression.evaluate(LEAD) is answer
    together = ConditionSet([("a", expression), ("b", compile("vip", SCHEMA)), ("c", expression)])
    assert together.evaluate(LEAD) == {"a": answer, "b": False, "c": answer}


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("region ==", 1, 10),
        ("region == 3", 1, 8),
        ('"马上" == text && text == 3', 1, 22),
        ("hour > 3 &&\n  nobody == 1", 2, 3),
        ("hour > 3 ] , [ true", 1, 10),
        ("hour > 3, true", 1, 9),
        ("hour", 1, 1),
        ("custom.size", 1, 1),
        ("'unended", 1, 1),
        ('text.matches("(")', 1, 14),
        ('hour > 1 &&\ntext.matches("a{2000}")', 2, 14),
        ("text.matches(region)", 1, 6),
        ('matches(text, "a")', 1, 1),
        ("", 1, 1),
        (" \n", 1, 1),
        (None, 1, 1),
        ("vip == \u202etrue", 1, 8),
        ("vip\0", 1, 4),
        ("text == '\ud800'", 1, 10),
    ],
)
def test_L7_a_wrong_condition_is_refused_with_its_line_and_column(source: Any, line: int, column: int) -> None:
    problem = refusal(source)
    assert (problem.line, problem.column) == (line, column), problem


TEXT_DOUBLED = "[text]" + ".map(s, s + s + s + s + s + s + s + s)" * 8 + ".size() > 0"


@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 29 + "vip" + ")" * 29,
        "(" * 1900 + "vip" + ")" * 1900,
        "[" * 1900 + "]" * 1900 + " == []",
        "hour" + " + hour" * 500 + " == 1",
        "vip ? true : " * 200 + "true",
        "custom" + ".a" * 1000 + " == 1",
        "tags.exists(a, " * 20 + "vip" + ")" * 20,
        "tags.all(a, tags.all(b, a == b))",
        "tags.all(a, (tags.exists(b, a == b)))",
        TEXT_DOUBLED,
        "tags . map // comment\n (a, a) == tags",
        r'r"\" == text || [text].map(s, s + s) == [r"\"]',
        r"r'\' == text || [text].map(s, s + s) == [r'\']",
        r'br"\" == b"" || [text].map(s, s + s) == [r"\"]',
        r'R"""\""" == text || [text].map(s, s + s) == [r"""\"""]',
        '["' + '","' * 990 + '"].exists(a, text + text + text == a)',
        "[" + "1," * 1100 + "1] == []",
        " || ".join(["tags.exists(a, a == text)"] * 9),
        "tags.exists(a, a.matches('b'))",
        "text == '" + "x" * 501 + "'",
        "text.matches('" + "x" * 201 + "')",
        "text.matches('(\\\\pL{0,30}){0,30}b')",
        "vip" + " " * 4000,
        "x" * 4_000_000,
    ],
)
def test_L7_a_condition_that_could_run_wild_is_refused_when_saved(hostile: str) -> None:
    refusal(hostile)


def test_L7_what_compiles_alone_compiles_in_a_set_too() -> None:
    vip = compile("vip", SCHEMA)
    taken = 0
    for length in range(1, 40):
        for source in (
            "(" * length + "hour + 1 == 2" + ")" * length,
            "hour" + " + hour" * length + " == 2",
            "vip ? true : " * length + "false",
        ):
            try:
                nested = compile(source, SCHEMA)
            except ExpressionError as problem:
                refused = problem.message
            else:
                taken += 1
                refused = ""
                assert ConditionSet([("a", nested), ("b", vip)])._together is not None, source
            assert refused == "" or "nested too deeply" in refused
    assert 39 < taken < 117


def test_L7_a_field_without_a_value_leaves_the_other_conditions_their_answers() -> None:
    sources = {
        "region": 'region == "华南"',
        "amount": "amount > 10.0",
        "either": 'region == "华南" || amount > 10.0',
        "share": "hour / 0 == 1",
        "vip": "vip",
    }
    together = ConditionSet([(name, compile(source, SCHEMA)) for name, source in sources.items()])
    assert together._together is not None
    assert together.variables == {"region", "amount", "hour", "vip"}
    for gone in ({**LEAD, "amount": None}, {name: value for name, value in LEAD.items() if name != "amount"}):
        outcomes = together.evaluate(gone)
        assert list(outcomes) == list(sources)
        assert outcomes["region"] is True
        assert outcomes["either"] is True
        assert outcomes["vip"] is False
        assert isinstance(outcomes["amount"], str)
        assert "amount" in outcomes["amount"]
        assert outcomes["share"] == "divide by zero"
    assert isinstance(compile("any == null", {"any": "dyn"}).evaluate({"any": None}), str)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hour", 2**80),
        ("hour", "12"),
        ("vip", 1),
        ("text", "a\ud800"),
        ("tags", "no list"),
        ("tags", [1, None]),
        ("custom", {1: object()}),
        ("captured", "yesterday"),
    ],
)
def test_L7_a_value_of_the_wrong_kind_is_a_reason_and_never_an_exception(name: str, value: Any) -> None:
    sources = {
        "hour": "hour > 3",
        "vip": "vip",
        "text": "text != ''",
        "tags": "tags.all(tag, tag != '')",
        "custom": "custom.size > 3",
        "captured": 'captured > timestamp("2026-09-30T00:00:00Z")',
    }
    together = ConditionSet([(key, compile(source, SCHEMA)) for key, source in sources.items()])
    outcomes = together.evaluate({**LEAD, name: value})
    assert isinstance(outcomes.pop(name), str)
    assert all(isinstance(outcome, bool) for outcome in outcomes.values())


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5)


@given(st.dictionaries(st.sampled_from(sorted(SCHEMA)), scalars | st.lists(scalars, max_size=3)))
def test_L7_a_set_answers_as_its_conditions_answer_one_by_one(values: dict[str, Any]) -> None:
    assert TOGETHER.evaluate(values) == {name: each.evaluate(values) for name, each in TOGETHER.conditions}


@given(st.text(st.sampled_from("()[]{}'\"`\\rRb./+,! \nvipmaptext0=&|?:"), max_size=40) | st.text(max_size=30))
@example("vip // )")
def test_L7_any_text_at_all_compiles_or_is_refused_with_its_place(source: str) -> None:
    try:
        expression = compile(source, SCHEMA)
    except ExpressionError as problem:
        place = problem.line, problem.column
    else:
        place = 1, 1
        assert isinstance(expression.evaluate(LEAD), bool | str)
    assert min(place) >= 1


def test_L7_sets_refuse_repeated_ids_and_mixed_schemas_and_may_be_empty_or_huge() -> None:
    vip = compile("vip", SCHEMA)
    with pytest.raises(ValueError, match="same id"):
        ConditionSet([("a", vip), ("a", vip)])
    with pytest.raises(ValueError, match="different schemas"):
        ConditionSet([("a", vip), ("b", compile("vip", {"vip": "bool"}))])
    assert ConditionSet([]).evaluate(LEAD) == {}
    long = compile("vip || region != '" + "x" * 400 + "'", SCHEMA)
    many = ConditionSet([(str(number), long) for number in range(300)])
    # Past what one expression may hold (100 000 characters): then singly, with the same answers.
    assert many._together is None
    assert set(many.evaluate(LEAD).values()) == {True}


def test_L7_types_are_named_as_cel_names_them() -> None:
    schema = {"a": "list(map(string, list(int)))", "b": "dyn", "c": "uint"}
    assert compile("a[0]['x'][1] == 2 && b == 1", schema).evaluate({"a": [{"x": [1, 2]}], "b": 1}) is True
    for wrong in ("", "text", "list", "list()", "map(string)", "list(text)", "bool(int)", "string)", "Type"):
        with pytest.raises(ValueError, match="unknown type"):
            compile("true", {"a": wrong})


def test_L7_threads_may_share_a_set() -> None:
    together = ConditionSet([("vip", compile("vip", SCHEMA)), ("big", compile("amount > 5.0", SCHEMA))])
    wrong: list[object] = []

    def ask(number: int) -> None:
        for turn in range(500):
            vip = (turn + number) % 2 == 0
            outcomes = together.evaluate({**LEAD, "vip": vip, "amount": float(turn)})
            if outcomes != {"vip": vip, "big": turn > 5}:
                wrong.append(outcomes)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_library_is_not_loaded_before_the_first_condition() -> None:
    code = "import sys, chassis.expressions; print(any('cel_expr' in name for name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "False"


def _named(sources: dict[str, str]) -> list[tuple[str, Expression]]:
    return [(name, compile(source, SCHEMA)) for name, source in sources.items()]


TOGETHER = ConditionSet(
    _named(
        {
            "region": 'region == "华南" || amount > 10.0',
            "hour": "hour >= 9 && hour < 18",
            "tags": "tags.exists(tag, tag == '')",
            "custom": "has(custom.size) && custom.size > 3",
            "vip": "vip || text.contains('a')",
        }
    )
)
