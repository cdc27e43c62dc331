"""What this service is."""

from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Loop, Runtime, Service
from chassis.transaction import Transaction
from customers.usecases import metadata
from dealwright.customers.v1 import events_pb2


def _servicers(runtime: Runtime) -> list[object]:
    from chassis.belongings_service import BelongingsServicer
    from chassis.history_service import HistoryServicer
    from customers.servicer import BlueprintServicer, CustomerServicer, CustomerViewServicer
    from customers.usecases.bringing import PLACES

    return [
        CustomerServicer(),
        CustomerViewServicer(runtime),
        BlueprintServicer(),
        BelongingsServicer(PLACES),
        HistoryServicer(service),
    ]


def _subscribers() -> list[Subscription]:
    from customers import subscribers

    return subscriptions(subscribers)


def _grade(tx: Transaction) -> bool:
    from customers.usecases.grading import grade

    return grade(tx)


def _purge(tx: Transaction) -> bool:
    from customers.usecases.purging import purge

    return purge(tx)


service = Service(
    name="customers",
    metadata=metadata,
    migrations="customers.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    patient=True,
    # What reports are made from, and made from again.
    kept_events=tuple(message.full_name for message in events_pb2.DESCRIPTOR.message_types_by_name.values()),
    loops=lambda: [
        Loop("grade customers anew", 2.0, _grade),
        Loop("end what was deleted 30 days ago", 3600.0, _purge),
    ],
)
