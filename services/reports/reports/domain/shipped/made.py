"""How KPIs that come with the product are written."""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure


def made(
    id: str,
    titles: tuple[str, str],
    unit: int,
    measures: tuple[Measure, ...],
    formula: str,
    dimensions: tuple[str, ...],
    total: int = kpi.BY_FORMULA,
    lower: bool = False,
    said: tuple[str, str] = ("", ""),
) -> Kpi:
    """`titles` and `said` (what it means) in English and Chinese; `lower`: less is better."""
    return Kpi(f"kpis/{id}", *titles, *said, unit, measures, formula, dimensions, total, lower_is_better=lower)
