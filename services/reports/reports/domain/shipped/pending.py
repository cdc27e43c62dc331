"""What lies: leads and opportunities that nobody followed up for days (B23, F11, F17). Their records are listed, and
made into tasks in one call (B44). What is on hold or awaits its approval does not lie: nobody is to touch it (V1).
"""

from __future__ import annotations

from dataclasses import replace

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made

_OPEN = Measure("open", "deal.open", where=(("detail", ("OPEN",)),))
_SAID = (
    "What is on hold or awaits its approval is not among them.",
    "不含已搁置和待审批的商机。",
)


def _untouched(
    what: str,
    open: Measure,
    days: int,
    titles: tuple[str, str],
    dimensions: tuple[str, ...],
    said: tuple[str, str] = ("", ""),
) -> Kpi:
    return made(
        f"{what}-untouched-{days}d",
        (f"{titles[0]} without follow-up for {days} days", f"超过 {days} 天未跟进的{titles[1]}"),
        kpi.COUNTS,
        (replace(open, span=kpi.OLDER, days=days),),
        "open",
        dimensions,
        lower=True,
        said=said,
    )


_LEADS = ("channel", "region", "industry", "owner", "detail")
_DEALS = ("owner", "stage", "channel", "region", "industry", "customer", "pipeline")

KPIS: tuple[Kpi, ...] = (
    *(_untouched("leads", Measure("open", "lead.open"), days, ("Leads", "线索"), _LEADS) for days in (3, 7, 14)),
    *(_untouched("opportunities", _OPEN, days, ("Opportunities", "商机"), _DEALS, _SAID) for days in (3, 7, 30)),
)
