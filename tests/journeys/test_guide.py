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
from tests.journeys.conftest import PASSWORD, RunningHouse
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


@pytest.mark.usefixtures("desk")
def test_B6_B11_B33_B39_N13_the_guide_reads_figures_adds_a_kpi_and_a_board_and_exports(
    house: RunningHouse, admin: Api, tmp_path: Path
) -> None:
    program("curl", "curl")
    text = (GUIDE.parent / "reports.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    script = script.replace("http://127.0.0.1:8080", house.url)
    script = script.replace("DEALWRIGHT_ADMIN_PASSWORD=a-long-password", f"DEALWRIGHT_ADMIN_PASSWORD={PASSWORD}")
    script, refusals = re.subn(
        r"^(curl [^\n]*\n[^\n]*?)  # refused$", r"if \1; then exit 1; fi", script, flags=re.MULTILINE
    )
    assert refusals == 1
    answers = _played(_PRELUDE + _by_its_clock(script), tmp_path, house)
    problem = next(answer for answer in answers if answer.get("type", "").startswith("urn:"))
    assert [one["field"] for one in problem["fields"]] == ["measures[0].fact"]
    made = admin.get("/v1/kpis/large-share")
    assert (made["version"], made["formula"]) == (1, "amount / open / 1000")
    (cost,) = admin.get("/v1/channelCosts", filter="channel = PHONE_400")["channelCosts"]
    until(lambda: len(admin.get("/v1/reports/channel-cost", period="today", groupBy="hour")["tiles"][0]["rows"]) == 24)
    board, narrowed, schedule, listed, complete, incomplete = answers[-6:]
    assert complete["tiles"][0]["rows"]
    assert all(one["name"].startswith("opportunities/") for one in incomplete["records"])
    assert [tile["kpi"] for tile in board["tiles"]] == ["kpis/large-share", "kpis/stage-entered", "kpis/won-amount"]
    assert not any(tile["denied"] for tile in (*board["tiles"], *narrowed["tiles"]))
    until(lambda: admin.get("/v1/reports/large-share")["tiles"][0]["total"]["figure"].get("value"))
    assert (tmp_path / "won.xlsx").read_bytes().startswith(b"PK")
    assert (tmp_path / "team.pdf").read_bytes().startswith(b"%PDF-")
    assert schedule["name"] in {one["name"] for one in listed["exportSchedules"]}
    admin.delete(f"/v1/{cost['name']}")
    admin.delete(f"/v1/{schedule['name']}")
    admin.delete("/v1/boards/my-day")
    admin.delete("/v1/kpis/large-share")


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
