"""What lies: leads and opportunities that nobody followed up for days (B23, F11, F17). Their records are listed, and
made into tasks in one call (B44)."""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made


def _untouched(what: str, fact: str, days: int, titles: tuple[str, str], dimensions: tuple[str, ...]) -> Kpi:
    return made(
        f"{what}-untouched-{days}d",
        (f"{titles[0]} without follow-up for {days} days", f"超过 {days} 天未跟进的{titles[1]}"),
        kpi.COUNTS,
        (Measure("open", fact, span=kpi.OLDER, days=days),),
        "open",
        dimensions,
        lower=True,
    )


_LEADS = ("channel", "region", "industry", "owner", "detail")
_DEALS = ("owner", "stage", "channel", "region", "industry", "customer", "pipeline")

KPIS: tuple[Kpi, ...] = (
    *(_untouched("leads", "lead.open", days, ("Leads", "线索"), _LEADS) for days in (3, 7, 14)),
    *(_untouched("opportunities", "deal.open", days, ("Opportunities", "商机"), _DEALS) for days in (3, 7, 30)),
)
