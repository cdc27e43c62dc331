"""What this service is."""

from __future__ import annotations

from chassis import clock
from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Errand, Loop, Runtime, Service
from chassis.transaction import Transaction
from reports.usecases import metadata


def _servicers(runtime: Runtime) -> list[object]:
    from chassis.parts import PartServicer
    from reports.servicer.alerts import AlertServicer
    from reports.servicer.blueprint import ReportPart
    from reports.servicer.costs import CostServicer
    from reports.servicer.exports import ExportServicer
    from reports.servicer.reports import ReportServicer
    from reports.servicer.targets import TargetServicer

    reports = ReportServicer(runtime)
    others = [PartServicer(ReportPart(runtime)), TargetServicer(), CostServicer(), AlertServicer()]
    return [reports, *others, ExportServicer(runtime, reports)]


def _subscribers() -> list[Subscription]:
    from reports.subscribers import activities, copies, customers, deals, leads, papers, usage

    listening = (activities, copies, customers, deals, leads, papers, usage)
    return [one for module in listening for one in subscriptions(module)]


def _roll(tx: Transaction) -> bool:
    from reports.usecases.rolling import roll

    return roll(tx)


def _purge(tx: Transaction) -> bool:
    from reports.usecases import alert_rules, costs, kpis, schedules, targets

    # Each of them, whatever the others found.
    return any([kept.purge(tx) for kept in (kpis, targets, costs, alert_rules, schedules)])  # noqa: C419


def _looking() -> Loop:
    """Begins with its process, which has not taken in yet what waits for it."""
    began = clock.now()

    def look(tx: Transaction) -> bool:
        from reports.usecases import alerting

        return alerting.look(tx, began)

    return Loop("look by the rules of alerts", 300.0, look)


def _errands(runtime: Runtime) -> list[Errand]:
    from reports.servicer import mailer, rebuilder

    return [
        Errand("rebuild", 2.0, rebuilder.from_peers(runtime).step),
        Errand("mail reports", 20.0, mailer.from_peers(runtime).step),
    ]


def _seed(tx: Transaction) -> None:
    from reports.usecases.first_start import start

    start(tx)


service = Service(
    name="reports",
    metadata=metadata,
    migrations="reports.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    patient=True,
    seed=_seed,
    errands=_errands,
    loops=lambda: [
        Loop("sum what is new", 0.5, _roll),
        _looking(),
        Loop("end what was deleted 30 days ago", 3600.0, _purge),
    ],
)
