"""What the bench says of its samples."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from loadtests import contacts, figures
from loadtests.figures import Figure

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("samples", "higher", "verdict"),
    [([39.0], True, "MISSED"), ([40.0], True, "must"), ([100.0], True, "aim"), ([41.0], False, "MISSED")],
)
def test_a_figure_is_judged_by_its_bars(samples: list[float], higher: bool, verdict: str) -> None:
    bars = (40.0, 100.0) if higher else (40.0, 15.0)
    assert Figure("f", "f", "/s", samples, must=bars[0], aim=bars[1], higher=higher).verdict == verdict


def test_a_ratio_is_judged_by_its_median_and_not_by_the_best_sample() -> None:
    figure = Figure("f", "f", "/s", [900, 100, 100], "P1", [0.9, 0.1, 0.1], must=0.15, aim=0.35)
    assert (figure.judged, figure.verdict) == (0.1, "MISSED")


def test_percentiles_are_samples_that_were_seen() -> None:
    values = [float(n) for n in range(1, 101)]
    found = [figures.percentile(list(reversed(values)), share) for share in (0.5, 0.99, 1.0)]
    assert found == [50.0, 99.0, 100.0]
    assert figures.percentile([7.0], 0.5) == 7.0
    with pytest.raises(ValueError, match="no samples"):
        figures.percentile([], 0.5)


def test_the_table_and_the_last_line_say_what_was_missed() -> None:
    found = [
        Figure("single", "single calls", "leads/s", [500.0, 600.0], "P1", [0.1, 0.12], must=0.15, aim=0.35),
        Figure("call p50", "one call", "ms", [1.5], must=5, aim=2, higher=False),
    ]
    output = io.StringIO()
    figures.show(found, Console(file=output, width=150))
    assert "0.15 x P1" in output.getvalue()
    assert "MISSED" in output.getvalue()
    said = figures.line(found)
    assert said.startswith("figure: single 550 leads/s = 0.11 x P1 [MISSED]")
    assert said.endswith("missed: single")
    busy = Figure("others", "others", "%", [60.0])
    assert "others used 60.0 % of it" in figures.line([*found, busy])
    assert "others" not in said


def test_contacts_have_phones_of_their_own_and_twenty_kinds() -> None:
    numbers = [*range(3000), *range(50_000_000, 50_003_000), *range(99_997_000, 100_000_000)]
    made = [contacts.contact(number) for number in numbers]
    assert len({c.phone for c in made}) == len({c.request_id for c in made}) == len(numbers)
    assert {len(c.phone) for c in made} == {11}
    assert {c.kind for c in made} == set(range(contacts.KINDS))


def test_the_command_prints_one_figure_line_and_writes_the_same_as_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "loadtests.bench", "decision"],
        cwd=ROOT,
        env={**os.environ, "BENCH": "smoke"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    written = json.loads((figures.FOLDER / "bench-smoke.json").read_text())
    assert last == written["line"]
    assert last.startswith("figure: decision ")
    assert written["machine"]["cores"] >= 1
    assert len(written["figures"][0]["samples"]) == 3
    assert written["figures"][0]["must"] == 8000
