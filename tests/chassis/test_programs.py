"""A program that a test runs is installed or named in one line; nothing is skipped in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chassis.testing import packages
from tests.programs import program

TESTS = Path(__file__).parents[1]
# Why a test may be left out: what it looks at is not there on that backend, or only root can see it.
REASONS = (
    "what Python keeps does not depend on the database",
    "only root can choose who a server runs as",
    "embedded, one process migrates: SQLite's files have no second",
    "SQLite has one writer: a handler that sleeps inside its transaction holds it",
    "only a part of the operations was asked for",
    "the deals that nobody here made are not there",
)


def test_a_program_that_cannot_be_installed_fails_its_test_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    with pytest.raises(pytest.fail.Exception) as failed:
        program("promtool", "prometheus")
    (line,) = str(failed.value).splitlines()
    assert line == "promtool is missing: install it (Debian, Ubuntu: sudo apt-get install prometheus)"


def test_a_missing_program_is_installed_where_we_are_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    apt, made = tmp_path / "apt-get", tmp_path / "promtool"
    apt.write_text(f'#!/bin/sh\ncase "$*" in *"install --yes"*prometheus) touch {made};; esac\n')
    apt.chmod(0o755)
    there = {"apt-get": apt, "promtool": made}
    monkeypatch.setattr(
        "shutil.which", lambda name, path=None: str(there[name]) if name in there and there[name].exists() else None
    )
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(packages, "_POLICY", tmp_path / "policy-rc.d")
    assert program("promtool", "prometheus") == str(made)


def test_no_test_is_left_out_for_a_reason_that_is_not_listed() -> None:
    skips = re.compile(r"pytest\.skip\(([^)]*)\)|skipif\((.*)\)|importorskip\((.*)\)")
    for file in TESTS.rglob("*.py"):
        if file == Path(__file__):
            continue
        for found in skips.finditer(file.read_text(encoding="utf-8")):
            said = next(part for part in found.groups() if part is not None)
            assert any(reason in said for reason in REASONS), f"{file.relative_to(TESTS)} skips: {said}"
