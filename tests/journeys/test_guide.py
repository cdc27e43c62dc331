"""The ten calls of the guide take a lead to money in the bank, line by line."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chassis import clock
from tests.journeys.api import Api, until
from tests.journeys.desk import Desk
from tests.journeys.running import PASSWORD, RunningHouse
from tests.programs import program

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "deal.md"
_REFUSED = re.compile(r"^(curl .*?)  # refused$", re.MULTILINE)
# An answer for each line; one that is refused ends the script; where a reader waits a second, the house settles.
_PRELUDE = """
curl() { command curl --fail-with-body --write-out '\\n' "$@"; }
sleep() { echo SETTLE; read -r; }
"""


@pytest.fixture
def approvers(admin: Api) -> Iterator[None]:
    """Who approves is afterwards whoever it was before."""
    before = admin.get("/v1/blueprint")["content"]["approverGroups"]
    yield
    admin.post("/v1/blueprint:apply", {"content": {"approverGroups": before}})


def _by_its_clock(script: str) -> str:
    """Days as the house has them, whose clock other journeys move on."""

    def day(said: re.Match[str]) -> str:
        zone, ago, form = said.groups()
        return (clock.now() - timedelta(days=bool(ago))).astimezone(ZoneInfo(zone or "UTC")).strftime(form)

    return re.sub(r"\$\((?:TZ=(\S+) )?date (?:-u )?(-d yesterday )?\+([^)]*)\)", day, script)


def _played(script: str, folder: Path, house: RunningHouse) -> list[dict[str, Any]]:
    """Every answer, in order."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    out, pipe = subprocess.STDOUT, subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=out, text=True) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        said: list[str] = []
        for line in shell.stdout:
            said.append(line)
            if line == "SETTLE\n":
                house.settle()
                shell.stdin.write("\n")
                shell.stdin.flush()
    assert shell.returncode == 0, "".join(said)
    return [json.loads(line) for line in said if line.startswith("{")]


@pytest.mark.usefixtures("desk", "approvers")
def test_the_ten_calls_of_the_guide_take_a_lead_to_money_in_the_bank(
    house: RunningHouse, admin: Api, region: str, tmp_path: Path
) -> None:
    program("curl", "curl")
    text = GUIDE.read_text(encoding="utf-8").split("\n## Opportunities")[0]
    assert re.findall(r"^\*\*(\d+)\. ", text, re.MULTILINE) == [str(n) for n in range(1, 11)]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    assert "http://127.0.0.1:8080" in script
    script = script.replace("http://127.0.0.1:8080", house.url).replace("华南", region)
    script = script.replace("DEALWRIGHT_ADMIN_PASSWORD=a-long-password", f"DEALWRIGHT_ADMIN_PASSWORD={PASSWORD}")
    script, refusals = _REFUSED.subn(r"if \1; then exit 1; fi", script)
    assert refusals == 2
    answers = _played(_PRELUDE + script, tmp_path, house)

    reasons = [answer["reason"] for answer in answers if answer.get("type", "").startswith("urn:")]
    assert reasons == ["GATE", "OWN_REQUEST"]
    contract, view = answers[-2:]
    assert contract["status"] == "COMPLETED"
    assert contract["amount"] == contract["invoiced"] == contract["paid"]
    assert (contract["paid"]["units"], contract["balance"]["units"]) == ("122040", "0")
    assert (view["customer"]["displayName"], view["customer"]["stage"]) == ("南海物流有限公司", "WON")
    assert [deal["status"] for deal in view["opportunities"]] == ["WON"]
    assert [quote["status"] for quote in view["quotes"]] == ["APPROVED"]
    assert [made["name"] for made in view["contracts"]] == [contract["name"]]
    assert [payment["amount"]["units"] for payment in view["payments"]] == ["122040"]
    assert [file["fileName"] for file in view["attachments"]] == ["quotation.pdf"]
    stages = [move["toStage"] for move in admin.get(f"/v1/{contract['opportunity']}/stages")["stageChanges"]]
    assert stages == ["first-visit", "need-clear", "quote", "negotiation", "won"]


@pytest.fixture(scope="module")
def figures(
    house: RunningHouse, admin: Api, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[dict[str, Any]], Path]]:
    """The answers to all that the guide to figures asks, in order, and where its files are; what it made is gone
    afterwards."""
    Desk(admin, house.settle, house.later).policy()
    folder = tmp_path_factory.mktemp("figures")
    program("curl", "curl")
    text = (GUIDE.parent / "reports.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    script = script.replace("http://127.0.0.1:8080", house.url)
    script = script.replace("DEALWRIGHT_ADMIN_PASSWORD=a-long-password", f"DEALWRIGHT_ADMIN_PASSWORD={PASSWORD}")
    script, refusals = re.subn(
        r"^(curl [^\n]*\n[^\n]*?)  # refused$", r"if \1; then exit 1; fi", script, flags=re.MULTILINE
    )
    assert refusals == 1
    made = ("channelCosts", "exportSchedules", "targets", "alertRules", "boards", "kpis")
    before = {kind: _names(admin, kind) for kind in made}
    yield _played(_PRELUDE + _by_its_clock(script), folder, house), folder
    for kind in made:
        for name in _names(admin, kind) - before[kind]:
            admin.delete(f"/v1/{name}")


def _names(admin: Api, kind: str) -> set[str]:
    return {one["name"] for one in admin.get(f"/v1/{kind}", pageSize=1000).get(kind, [])}


def _tiles(answers: list[dict[str, Any]], report: str) -> list[Any]:
    """The last answer of a report."""
    return list([one for one in answers if one.get("name") == f"reports/{report}"][-1]["tiles"])


def test_B6_B11_B33_B39_N13_the_guide_reads_figures_adds_a_kpi_and_a_board_and_exports(
    figures: tuple[list[dict[str, Any]], Path], admin: Api
) -> None:
    answers, folder = figures
    problem = next(answer for answer in answers if answer.get("type", "").startswith("urn:"))
    assert [one["field"] for one in problem["fields"]] == ["measures[0].fact"]
    made = admin.get("/v1/kpis/large-share")
    assert (made["version"], made["formula"]) == (1, "amount / open / 1000")
    assert admin.get("/v1/channelCosts", filter="channel = PHONE_400")["channelCosts"]
    until(lambda: len(admin.get("/v1/reports/channel-cost", period="today", groupBy="hour")["tiles"][0]["rows"]) == 24)
    board, narrowed, schedule, listed, complete, incomplete = answers[-6:]
    assert complete["tiles"][0]["rows"]
    assert all(one["name"].startswith("opportunities/") for one in incomplete["records"])
    shown = ("large-share", "stage-entered", "won-amount", "opportunities-opened", "conversion")
    assert [tile["kpi"] for tile in board["tiles"]] == [f"kpis/{id}" for id in shown]
    assert not any(tile["denied"] for tile in (*board["tiles"], *narrowed["tiles"]))
    assert [one["titleZh"] for one in board["tiles"][4]["more"]] == ["平均单价"]
    until(lambda: admin.get("/v1/reports/large-share")["tiles"][0]["total"]["figure"].get("value"))
    assert (folder / "won.xlsx").read_bytes().startswith(b"PK")
    assert (folder / "team.pdf").read_bytes().startswith(b"%PDF-")
    assert schedule["name"] in {one["name"] for one in listed["exportSchedules"]}


def test_B16_B25_B44_R11_the_guide_sets_targets_and_alerts_makes_tasks_and_tests_the_forecast(
    figures: tuple[list[dict[str, Any]], Path], admin: Api
) -> None:
    answers, _ = figures
    me = admin.me["name"]
    (asked,) = (one for one in answers if "passedOver" in one)
    assert asked["tasks"] >= 2
    tasks = next(one["tasks"] for one in answers if "tasks" in one and "passedOver" not in one)
    assert sum(one["title"] == "本周内回访 Call back this week" for one in tasks) >= 2
    # Each target beside what was reached of it.
    (tile,) = _tiles(answers, "opportunities-opened")
    (mine,) = (row for row in tile["rows"] if row["keys"] == [me])
    for row, goal in ((mine, 10), (tile["total"], 40)):
        assert row["target"]["value"] == goal
        assert row["attainment"] == pytest.approx(row["figure"]["value"] / goal)
    gauge = _tiles(answers, "my-day")[3]
    assert gauge["chart"] == "GAUGE"
    # The three that come with the product, and the one that was added.
    rules = next(one["alertRules"] for one in answers if "alertRules" in one)
    assert {"kpis/won-amount", "kpis/stage-conversion", "kpis/win-rate"} <= {one["kpi"] for one in rules}
    added = next(one for one in answers if one.get("name", "").startswith("alertRules/"))
    assert (added["condition"], added["limit"], added["enabled"]) == ("FALLS", "20", True)
    (backtest,) = (one for one in answers if "months" in one)
    assert len(backtest["months"]) == 3
    assert {"forecast", "decidedForecast", "won", "open", "undecided"} <= backtest["months"][0].keys()
    assert _tiles(answers, "forecast")[0]["groupBy"] == ["stage"]
    assert _tiles(answers, "payments-expected")[0]["period"] == "next_90_days"


def test_the_settings_that_the_guide_shows_are_accepted(admin: Api) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(shown) == 4
    for settings in shown:
        answer = admin.raw(
            "POST",
            "/v1/blueprint:apply?validateOnly=true",
            data=settings.encode(),
            headers={"Content-Type": "application/yaml"},
        )
        assert answer.status_code == 200, answer.text
