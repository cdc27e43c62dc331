"""docs/features.md is what the journeys say, and every feature has one that goes through the public API."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.journeys import features, settings_table


def test_every_feature_of_this_release_is_cited_by_a_journey_through_the_public_api() -> None:
    assert features.uncited(features.citations()) == []
    assert {f for c in features.citations() for f in c.features} <= features.FEATURES.keys(), "an unknown id is cited"


# What "The whole deal" promises, besides what was there before it.
PROMISED = (
    "C1-C13 C15-C26 L24 L25 L31 F1-F10 F14 F16-F21 E7 E8 I22 O1-O37 O39 Q1-Q12 Q14-Q19 K1-K11 K13"
    " I1-I6 I9 I10 I24 V13 X3-X5"
)


# And what "Numbers that can be traced" does.
PROMISED += " B1-B44 X2 X13 X14 X16 X17 X19 X20 L28 L30 F16 K12 C14 O38 O40 R11-R13"


def test_every_id_that_the_release_promises_is_a_feature_of_it() -> None:
    promised = set()
    for span in PROMISED.split():
        first, _, last = span.partition("-")
        promised |= {f"{first[0]}{n}" for n in range(int(first[1:]), int((last or first)[1:]) + 1)}
    assert len(promised) > 180
    assert sorted(promised - features.FEATURES.keys()) == []


def test_the_table_of_features_is_not_stale() -> None:
    assert features.DOCUMENT.read_text(encoding="utf-8") == features.document(), "run `make features`"


def test_the_table_of_settings_is_not_stale() -> None:
    document = settings_table.document()
    assert settings_table.DOCUMENT.read_text(encoding="utf-8") == document, "run `make features`"
    assert "`DEALWRIGHT_PRESENCE_TIMEOUT` | directory | `90.0`" in document


def test_a_journey_that_makes_no_call_proves_no_feature() -> None:
    idle = features.Citation("test_x.py", "test_L1_nothing", tuple(features.FEATURES), frozenset())
    assert features.uncited([idle]) == [f for f in features.FEATURES if f not in features.ELSEWHERE]


def test_what_a_feature_is_proven_by_elsewhere_is_there_and_cites_it() -> None:
    for feature, (folder, _) in features.ELSEWHERE.items():
        tests = list((features.ROOT / folder).glob("test_*.py"))
        assert any(f"def test_{feature}_" in test.read_text(encoding="utf-8") for test in tests), Path(folder)


def test_an_address_that_the_api_does_not_have_is_no_call() -> None:
    def parsed(source: str) -> ast.FunctionDef:
        (function,) = ast.parse(source).body
        assert isinstance(function, ast.FunctionDef)
        return function

    contact = features.calls(parsed("def test_x(api):\n    api.post(f'/v1/{lead}:contact')"))
    assert contact == {"POST /v1/leads/*:contact", "POST /v1/sessions"}, "signing in is part of it"
    with pytest.raises(LookupError):
        features.calls(parsed("def test_x(api):\n    api.post('/v1/leads:burn')"))
