"""The guide says which tile answers which question, and each is there as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.domain import board as boards
from reports.domain.shipped.boards import BOARDS

ROOT = Path(__file__).parents[2]
WANTED = [
    *(f"B{number}" for number in range(1, 45)),
    *("X2", "X13", "X14", "X16", "X17", "X19", "X20", "L28", "L30", "F16", "K12", "C14", "O38", "O40"),
    *("R11", "R12", "R13"),
]
_TEXT = (ROOT / "docs" / "guide" / "figures.md").read_text(encoding="utf-8")
_ROWS = re.findall(r"^\| ([A-Z]\d+) \| ([^|]+) \| ([^|]+) \|$", _TEXT, re.MULTILINE)
_NAMES = r"`[a-z_0-9-]+`(?:, `[a-z_0-9-]+`)*"
_TILE = re.compile(rf"`([a-z-]+)`: ([A-Z_]+) of ({_NAMES})(?: by ({_NAMES}))?")
_CALL = re.compile(r"`([A-Z]+) (/v1/[^`]+)`")
_THERE = {
    (of.name, boards.CHARTS[tile.chart - 1], tuple(name.removeprefix("kpis/") for name in tile.kpis), tile.group_by)
    for of in BOARDS
    for tile in of.tiles
}


def _calls() -> set[tuple[str, str]]:
    """What the protos offer, and the feed, which is the gateway's own."""
    found = {("GET", "/v1/feed")}
    for proto in (ROOT / "proto" / "dealwright").glob("*/v1/*.proto"):
        said = re.findall(r'(get|post|patch|delete): "(/v1/[^"]+)"', proto.read_text(encoding="utf-8"))
        found |= {(verb.upper(), path) for verb, path in said}
    return found


def _named(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", text))


def test_B1_to_B44_each_question_is_in_the_guide_once() -> None:
    assert sorted(id for id, *_ in _ROWS) == sorted(WANTED)


@pytest.mark.parametrize(("id", "where"), [(id, where) for id, _, where in _ROWS], ids=[id for id, *_ in _ROWS])
def test_B1_to_B44_what_the_guide_says_of_a_question_is_on_a_shipped_board(id: str, where: str) -> None:
    for part in where.strip().split("; "):
        tile, call = _TILE.fullmatch(part), _CALL.fullmatch(part)
        assert tile or call, f"{id}: {part}"
        if call:
            assert call.groups() in _calls(), f"{id}: {part}"
        else:
            assert tile
            board, chart, kpis, group = tile.groups()
            assert (f"boards/{board}", chart, _named(kpis), _named(group or "")) in _THERE, f"{id}: {part}"
