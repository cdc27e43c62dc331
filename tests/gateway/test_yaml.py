"""Blueprints in YAML."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import yaml_text
from gateway.wire.json_text import NotJson, Repeated

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]" for i in range(9)
)


def test_times_and_words_stay_texts_as_yaml_1_2_has_them() -> None:
    text = b"start: 09:00\nend: 18:00\noff: no\nday: 2026-10-01\nyes: y\non: true\nn: 3\nf: 1.5\nnothing: ~\nq: '3'\n"
    assert yaml_text.parse(text) == {
        "start": "09:00", "end": "18:00", "off": "no", "day": "2026-10-01", "yes": "y",
        "on": True, "n": 3, "f": 1.5, "nothing": None, "q": "3",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &x 1",
        "a: *x",
        "a: {<<: {b: 1}}",
        "a: !!python/object/apply:os.system [ls]",
        "a: !x 1",
        "? [1]\n: 2",
        "a: 1\n---\nb: 2",
        "a: [",
        "\t- x",
        "[" * 5000,
        "a: 'x",
        "\x07",
    ],
    ids=range(13),
)
def test_bombs_tags_and_nonsense_are_refused(text: str) -> None:
    with pytest.raises(NotJson) as refusal:
        yaml_text.parse(text.encode())
    assert refusal.value.english
    assert refusal.value.chinese


def test_a_key_twice_is_marked_with_the_key() -> None:
    marked = yaml_text.parse(b"a: {x: 1, x: 2}")["a"]
    assert isinstance(marked, Repeated)
    assert marked.key == "x"


def test_a_mistake_is_told_with_line_and_column() -> None:
    with pytest.raises(NotJson, match="line 3, column 1"):
        yaml_text.parse(b"a: 1\nb: [1, 2\n")


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        yaml_text.parse(body)
    except NotJson as refusal:
        assert refusal.chinese  # noqa: PT017 - either outcome is right, in its way


def test_nothing_is_nothing() -> None:
    nothing: Any = yaml_text.parse(b"# only a comment\n")
    assert nothing is None
