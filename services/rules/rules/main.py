"""The rules service: what it is made of."""

from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Loop, Runtime, Service
from rules import storage
from rules.usecases import seed


def _servicers(runtime: Runtime) -> list[object]:
    from rules.servicer import BlueprintServicer, RuleServicer

    return [RuleServicer(runtime), BlueprintServicer(runtime)]


def _subscribers() -> list[Subscription]:
    from rules import subscribers

    return subscriptions(subscribers)


def _loops() -> list[Loop]:
    from rules.usecases import clocks, drain_waiting, firing

    return [
        Loop("timers", 0.5, clocks.fire_due),
        Loop("waiting leads", 1.0, drain_waiting),
        Loop("automations", 1.0, firing.automations_due),
    ]


service = Service(
    name="rules",
    metadata=storage.metadata,
    migrations="rules.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    loops=_loops,
    seed=seed,
)
