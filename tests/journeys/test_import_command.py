"""`dealwright import`: a sheet from the terminal, with the rows that were refused and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from embedded.command import app
from tests.journeys.leads_50 import SAMPLE
from tests.journeys.running import PASSWORD, RunningHouse


@pytest.fixture
def runner(house: RunningHouse, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("DEALWRIGHT_URL", house.url)
    monkeypatch.setenv("DEALWRIGHT_ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def _name(output: str) -> str:
    return next(word for line in output.splitlines() for word in line.split() if word.startswith("imports/"))


def test_I4_I10_the_command_looks_at_a_sheet_takes_it_in_and_takes_it_back(runner: CliRunner, tmp_path: Path) -> None:
    sheet = tmp_path / "名单.csv"
    sheet.write_bytes("姓名,手机号\n甲,13700098001\n乙,1370009800\n".encode("gb18030"))
    looked = runner.invoke(app, ["import", str(sheet), "--validate-only"])
    assert looked.exit_code == 3, looked.output
    assert "PREVIEWED" in looked.output
    assert "11 位" in looked.output
    name = _name(looked.output)
    done = runner.invoke(app, ["import", "--commit", name])
    assert "SUCCEEDED: 1 created, 1 refused" in done.output
    undone = runner.invoke(app, ["import", "--undo", name])
    assert undone.exit_code == 0, undone.output
    assert "UNDONE" in undone.output


def test_X4_the_command_imports_the_sample_and_writes_the_refused_rows(runner: CliRunner, tmp_path: Path) -> None:
    refused = tmp_path / "refused.csv"
    done = runner.invoke(app, ["import", str(SAMPLE), "--refused", str(refused), "--on-conflict", "merge"])
    assert done.exit_code == 3, done.output
    assert "4 refused" in done.output
    assert len(refused.read_text(encoding="utf-8-sig").splitlines()) == 5
    runner.invoke(app, ["import", "--undo", _name(done.output)])


def test_I10_a_file_larger_than_a_request_goes_in_parts(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from embedded import sheets

    monkeypatch.setattr(sheets, "_FIRST", 1000)
    monkeypatch.setattr(sheets, "_PART", 700)
    sheet = tmp_path / "大.csv"
    sheet.write_text("姓名,手机号\n" + "".join(f"甲{n},137001{n:05}\n" for n in range(200)), encoding="utf-8")
    done = runner.invoke(app, ["import", str(sheet)])
    assert done.exit_code == 0, done.output
    assert "200 created" in done.output
    runner.invoke(app, ["import", "--undo", _name(done.output)])


def test_a_sheet_that_is_none_is_one_line_and_ends_with_1(runner: CliRunner, tmp_path: Path) -> None:
    sheet = tmp_path / "x.xlsx"
    sheet.write_bytes(b"PK\x03\x04 no workbook")
    done = runner.invoke(app, ["import", str(sheet)])
    assert done.exit_code == 1
    assert ".xlsx 或 CSV" in done.output
