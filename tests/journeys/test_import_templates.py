"""A template is downloaded and sent back as it is: the services behind take its example row."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from embedded.command import app
from tests.journeys.api import Api
from tests.journeys.desk import Desk
from tests.journeys.running import PASSWORD, RunningHouse
from tests.journeys.sheets import commit, ended, rows, send, undo

# As the guide says: each finds what came before.
_ORDER = ("LEADS", "CUSTOMERS", "CONTACTS", "OPPORTUNITIES", "FOLLOW_UPS")


def _looked_at(api: Api, kind: str, form: str, language: str) -> Any:
    asked = {"kind": kind, "format": form, "language": language}
    answer = api.raw("GET", "/v1/imports:template", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return ended(api, send(api, f"{kind}.{form.lower()}", answer.content, kind=kind, validateOnly="true"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_I4_I5_each_template_is_taken_as_it_comes_in_the_order_of_the_guide(desk: Desk, language: str) -> None:
    api, done = desk.api, []
    for kind, form in itertools.product(_ORDER, ("CSV", "XLSX")):
        job = _looked_at(api, kind, form, language)
        (row,) = rows(api, job)
        assert row["verdict"] == ("CREATED"), row
        assert all(column.get("field") and not column["field"].startswith("custom.") for column in job["columns"])
        if form == "XLSX":
            job = commit(api, job)
            assert job["counts"].get("created") == 1, rows(api, job)
            done.append(job)
            desk.settle()
    for job in reversed(done):
        undone = undo(api, job)
        assert not undone.get("kept"), rows(api, undone)


def test_I4_the_command_writes_a_template_and_takes_it_in(
    house: RunningHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEALWRIGHT_URL", house.url)
    monkeypatch.setenv("DEALWRIGHT_ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    file = tmp_path / "客户.csv"
    runner = CliRunner()
    written = runner.invoke(app, ["import", "--template", "customers", "-o", str(file)])
    assert written.exit_code == 0, written.output
    assert file.read_text(encoding="utf-8-sig").startswith("客户名称*,")
    looked = runner.invoke(app, ["import", str(file), "--kind", "customers", "--validate-only"])
    assert looked.exit_code == 0, looked.output
    assert "1 created" in looked.output
    refused = runner.invoke(app, ["import", "--template", "nothing", "-o", str(file)])
    assert refused.exit_code == 1
