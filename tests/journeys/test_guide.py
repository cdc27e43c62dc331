"""The ten calls of the guide take a lead to money in the bank, line by line."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.api import Api
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
