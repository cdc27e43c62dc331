"""`make test` counts what ran, and is never green about what did not."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from chassis.testing.parts import MissingPart

RUNNER = Path(__file__).resolve().parents[1] / "run.py"

GOOD = "def test_good():\n    pass\n"
BAD = "def test_good():\n    pass\n\ndef test_bad():\n    assert 'left' == 'right'\n"
DEAD = "import os\n\ndef test_dead():\n    os._exit(3)\n"
UNREADABLE = "import no_such_module\n"
SETUP = "import pytest\n\n@pytest.fixture\ndef broken():\n    raise OSError\n\ndef test_it(broken):\n    pass\n"
WRITES = """
import os, pathlib, sys, tempfile

def test_writes(tmp_path):
    assert not sys.dont_write_bytecode
    pathlib.Path("where").write_text(tempfile.gettempdir())
    assert pathlib.Path(tempfile.gettempdir()).stat().st_mode & 0o055 == 0o055
"""
LEFT_OUT = "import pytest\n\n@pytest.mark.skip(reason='SKIP_CLUSTER=1')\ndef test_it():\n    pass\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("suite_runner", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, "suite_runner", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "build")
    monkeypatch.setattr(module, "SECONDS", tmp_path / "build" / "seconds.json")
    monkeypatch.setattr(module, "prepare", lambda: None)
    monkeypatch.delenv("SKIP_CLUSTER", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # half a second of each inner pytest
    return module


def suite(root: Path, name: str, text: str) -> None:
    folder = root / "tests" / name
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(text)


def test_passing_suites_end_with_one_line_of_totals(
    run: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite(tmp_path, "one", GOOD)
    suite(tmp_path, "two", GOOD)
    assert run.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize(
    ("text", "total", "told"),
    [
        (BAD, "2 passed, 1 failed, 0 skipped", "assert 'left' == 'right'"),
        (DEAD, "1 passed, 1 failed, 0 skipped", "pytest wrote no report"),
        (UNREADABLE, "1 passed, 1 failed, 0 skipped", "no_such_module"),
        (SETUP, "1 passed, 1 failed, 0 skipped", "OSError"),
        ("", "1 passed, 1 failed, 0 skipped", "no test in it"),
    ],
)
def test_a_suite_that_fails_dies_or_is_empty_fails_the_run_and_is_shown(
    text: str,
    total: str,
    told: str,
    run: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    suite(tmp_path, "sound", GOOD)
    suite(tmp_path, "wrong", text)
    assert run.main([]) == 1
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == total
    assert told in said


def test_a_run_in_which_nothing_ran_fails(run: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite(tmp_path, "one", LEFT_OUT)
    assert run.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == ["no test ran", "0 passed, 0 failed, 1 skipped"]


def test_leaving_out_the_real_parts_is_said_at_the_end_with_the_suites_it_concerns(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SKIP_CLUSTER", "1")
    suite(tmp_path, "faults", LEFT_OUT)
    suite(tmp_path, "leads", GOOD)
    assert run.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "SKIP_CLUSTER=1 left out the tests on real parts of: faults (1)",
        "1 passed, 0 failed, 1 skipped",
    ]


def test_a_missing_part_fails_the_run_before_any_suite(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepare() -> None:
        raise MissingPart("RabbitMQ 3.10 or later is missing: install it")

    monkeypatch.setattr(run, "prepare", prepare)
    suite(tmp_path, "one", GOOD)
    assert run.main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "RabbitMQ 3.10 or later is missing: install it",
        "0 passed, 1 failed, 0 skipped",
    ]


def test_suites_run_longest_first_as_measured_before(run: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "seconds.json").write_text('{"quick": 1.5, "slow": 90.0}')
    assert run.longest_first(["leads", "quick", "slow", "journeys"]) == ["journeys", "slow", "quick", "leads"]


def test_a_file_that_runs_apart_runs_once_whether_or_not_its_suite_was_named(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "APART", ("one/test_long.py", "gone/test_none.py"))
    suite(tmp_path, "one", GOOD)
    suite(tmp_path, "two", GOOD)
    (tmp_path / "tests" / "one" / "test_long.py").write_text(BAD)
    for words, total in ([], "3 passed, 1 failed, 0 skipped"), (["one"], "2 passed, 1 failed, 0 skipped"):
        assert run.main(words) == 1
        assert capsys.readouterr().out.splitlines()[-1] == total
    assert set(json.loads((tmp_path / "build" / "seconds.json").read_text())) == {"one", "one/test_long.py", "two"}
    assert run.main(["one", "--", "-k", "bad"]) == 1  # which leaves nothing of its other part
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize("enough", [0, 1 << 62])
def test_a_suite_writes_to_memory_where_there_is_room_and_leaves_nothing(
    enough: int, run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(run, "MEMORY", memory)
    monkeypatch.setattr(run, "ENOUGH", enough)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    suite(tmp_path, "one", WRITES)
    assert run.main([]) == 0
    where = Path((tmp_path / "where").read_text())
    assert (where.parent == memory) == (not enough)
    assert where.exists() == bool(enough)
    assert list(memory.iterdir()) == []
