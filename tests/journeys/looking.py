"""The rules of alerts, looked by as every five minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from chassis import clock
from chassis.service import Runtime
from reports.domain import alert
from reports.storage import alerts as stored

_TURNS = 5


def look(reports: Runtime, settle: Callable[[], None], later: Callable[[timedelta], None]) -> None:
    """A quarter of an hour on, when what was told is in the figures; and again as long as something of before comes in,
    or another process has a rule, as it is in a house that runs."""
    loops = {one.name: one for one in reports.service.loops()}
    for _ in range(_TURNS):
        settle()
        later(timedelta(minutes=15))
        settle()
        for name in ("sum what is new", "look by the rules of alerts"):
            with reports.transaction() as tx:
                loops[name].run(tx)
        settle()
        behind = _behind(reports)
        if not behind:
            return
    raise AssertionError(f"not looked by after {_TURNS} turns: {behind}")


def _behind(reports: Runtime) -> list[str]:
    today = clock.now().astimezone(clock.company_zone()).date()
    with reports.reading() as tx:
        rules = [one for one in stored.every(tx, deleted=False) if one.enabled]
    return [one.name for one in rules if one.looked_at < str(alert.over(one.span, today).begin)]
