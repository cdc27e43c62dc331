"""What this service is."""

from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Loop, Runtime, Service
from chassis.transaction import Transaction
from dealwright.opportunities.v1 import events_pb2
from opportunities.usecases import metadata


def _servicers(runtime: Runtime) -> list[object]:
    from chassis.belongings_service import BelongingsServicer
    from chassis.history_service import HistoryServicer
    from opportunities.servicer.blueprint import BlueprintServicer
    from opportunities.servicer.opportunities import OpportunityServicer
    from opportunities.usecases.bringing import PLACES

    return [OpportunityServicer(runtime), BlueprintServicer(), BelongingsServicer(PLACES), HistoryServicer(service)]


def _subscribers() -> list[Subscription]:
    from opportunities import subscribers

    return subscriptions(subscribers)


def _end_shares(tx: Transaction) -> bool:
    from opportunities.usecases.sharing import end_shares

    return end_shares(tx)


def _purge(tx: Transaction) -> bool:
    from opportunities.usecases.keeping import purge

    return purge(tx)


service = Service(
    name="opportunities",
    metadata=metadata,
    migrations="opportunities.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    patient=True,
    # What reports are made from, and made from again.
    kept_events=tuple(message.full_name for message in events_pb2.DESCRIPTOR.message_types_by_name.values()),
    loops=lambda: [Loop("end shares", 5.0, _end_shares), Loop("purge opportunities", 3600.0, _purge)],
)
