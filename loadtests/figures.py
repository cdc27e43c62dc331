"""Figures with their samples, yardsticks and bars; the table, the `figure:` line, the file under build/figures."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtests import machine

FOLDER = Path(__file__).resolve().parent.parent / "build" / "figures"

# Percent of the machine that others may use before the last line says so.
BUSY = 15.0


@dataclass
class Figure:
    """One line of the table.

    `samples` are in `unit`; `ratios` are theirs to the yardstick, one each, where there is one: then the bars `must`
    and `aim` are ratios. `higher`: more is better. The median is judged. A figure without bars only informs.
    """

    key: str
    title: str
    unit: str
    samples: list[float]
    yardstick: str = ""
    ratios: list[float] = field(default_factory=list)
    must: float | None = None
    aim: float | None = None
    higher: bool = True
    how: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        return statistics.median(self.samples)

    @property
    def ratio(self) -> float | None:
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def judged(self) -> float:
        return self.value if self.ratio is None else self.ratio

    def reaches(self, bar: float | None) -> bool:
        """Whether the median is at the bar or better; every figure reaches no bar at all."""
        if bar is None:
            return True
        return self.judged >= bar if self.higher else self.judged <= bar

    @property
    def verdict(self) -> str:
        if self.must is None and self.aim is None:
            return ""
        if not self.reaches(self.must):
            return "MISSED"
        return "aim" if self.reaches(self.aim) else "must"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "median": self.value, "medianRatio": self.ratio, "verdict": self.verdict}


def number(value: float) -> str:
    """A figure as people write it: 1,234 or 12.3 or 0.123."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _bar(figure: Figure, bar: float | None) -> str:
    if bar is None:
        return ""
    return f"{number(bar)} x {figure.yardstick}" if figure.ratios else f"{number(bar)} {figure.unit}"


def show(figures: Sequence[Figure], console: Console | None = None, title: str = "make bench") -> None:
    """Prints the table and what each figure's measure is."""
    table = Table(title=title, title_justify="left", expand=False)
    for name in ("figure", "median", "min to max", "ratio", "must", "aim", "verdict"):
        table.add_column(name, justify="left" if name in ("figure", "verdict") else "right", no_wrap=name != "figure")
    colours = {"MISSED": "bold red", "must": "yellow", "aim": "green", "": ""}
    for f in figures:
        spread = f"{number(min(f.samples))} to {number(max(f.samples))}" if len(f.samples) > 1 else ""
        ratio = "" if f.ratio is None else f"{number(f.ratio)} x {f.yardstick}"
        if len(f.ratios) > 1:
            ratio += f" ({number(min(f.ratios))} to {number(max(f.ratios))})"
        verdict = f"[{colours[f.verdict]}]{f.verdict}[/]" if f.verdict else ""
        bars = (_bar(f, f.must), _bar(f, f.aim))
        table.add_row(f.title, f"{number(f.value)} {f.unit}", spread, ratio, *bars, verdict)
    console = console or Console(width=150, highlight=False)
    console.print(table)
    for f in figures:
        if f.how:
            console.print(f"  {f.title}: {f.how}", style="dim", soft_wrap=True)


def line(figures: Sequence[Figure]) -> str:
    """The last line: every judged figure in a few words."""
    said = []
    for f in figures:
        if f.verdict:
            ratio = "" if f.ratio is None else f" = {number(f.ratio)} x {f.yardstick}"
            said.append(f"{f.key} {number(f.value)} {f.unit}{ratio} [{f.verdict}]")
    missed = [f.key for f in figures if f.verdict == "MISSED"]
    busy = next((f.value for f in figures if f.key == "others"), 0.0)
    if busy > BUSY:
        said.append(f"the machine was busy: others used {number(busy)} % of it")
    return f"figure: {'; '.join(said)}" + (f"; missed: {', '.join(missed)}" if missed else "; every must is met")


def write(command: str, figures: Sequence[Figure], **more: Any) -> Path:
    """Writes build/figures/<command>.json: the machine, the commit, every sample and ratio."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{command}.json"
    content = {
        "command": command,
        "machine": machine.description(),
        "commit": machine.commit(),
        **more,
        "figures": [f.as_json() for f in figures],
        "line": line(figures),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return path


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed. Raises ValueError for no values."""
    if not values:
        raise ValueError("no samples")
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))]
