"""The first steps of the README do what it says, line by line."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.journeys.running import PASSWORD, RunningHouse
from tests.programs import program

README = Path(__file__).parents[2] / "README.md"
_LINK = re.compile(r"\]\(([^)#:]+)\)")


def test_the_curl_lines_of_the_readme_capture_a_lead_and_show_its_owner_and_its_certificate(
    house: RunningHouse,
) -> None:
    program("curl", "curl")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL))
    assert script.count("curl") == 10
    assert "http://127.0.0.1:8080" in script
    script = script.replace("http://127.0.0.1:8080", house.url).replace("a-long-password", PASSWORD)
    script = script.replace('"华东', '"README').replace("curl -s", "echo; curl -s --fail-with-body")
    script = script.replace("$(echo; curl", "$(curl")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    answers: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
    lina, wang, lead, certificate, released, pool, report = answers
    assert (lina["displayName"], wang["displayName"]) == ("李娜", "王强")
    assert (lead["status"], lead["phone"]) == ("ASSIGNED", "+8613800138000")
    (decision,) = certificate["decisions"]
    assert decision["owner"] == lead["owner"]
    assert lead["owner"] in {lina["name"], wang["name"]}
    assert {c["outcome"] for c in decision["candidates"]} == {"CHOSEN", "PASSED_OVER"}
    assert released["status"] == "POOLED"
    assert [found["name"] for found in pool["leads"]] == [lead["name"]]
    assert report["firstWrongEntry"] == "0"
    assert "event: LeadAssigned" in lines


def test_the_documents_link_to_what_is_there() -> None:
    root = README.parent
    for document in (README, root / "ARCHITECTURE.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")):
        for link in _LINK.findall(document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.relative_to(root)} links to {link}"
