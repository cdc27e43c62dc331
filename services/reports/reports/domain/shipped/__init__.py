"""The KPIs that come with the product."""

from __future__ import annotations

from reports.domain.kpi import Kpi
from reports.domain.shipped import activities, completeness, customers, deals, leads, money, pending, usage

_AREAS = (deals, leads, pending, customers, completeness, activities, money, usage)
SHIPPED: tuple[Kpi, ...] = tuple(one for area in _AREAS for one in area.KPIS)
BY_NAME = {one.name: one for one in SHIPPED}
