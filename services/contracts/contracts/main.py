"""What this service is."""

from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Loop, Runtime, Service
from chassis.transaction import Transaction
from contracts.usecases import metadata
from dealwright.contracts.v1 import events_pb2


def _servicers(runtime: Runtime) -> list[object]:
    from chassis.belongings_service import BelongingsServicer
    from chassis.history_service import HistoryServicer
    from contracts.servicer.approvals import ApprovalServicer
    from contracts.servicer.blueprint import BlueprintServicer
    from contracts.servicer.contracts import ContractServicer
    from contracts.servicer.quotes import QuoteServicer
    from contracts.usecases.belongings import PLACES

    return [
        QuoteServicer(runtime),
        ApprovalServicer(runtime),
        ContractServicer(runtime),
        BlueprintServicer(runtime),
        BelongingsServicer(PLACES),
        HistoryServicer(service),
    ]


def _subscribers() -> list[Subscription]:
    from contracts import subscribers

    return subscriptions(subscribers)


def _ring_approvals(tx: Transaction) -> bool:
    from contracts.usecases.approval_clocks import fire_due

    return fire_due(tx)


def _purge_products(tx: Transaction) -> bool:
    from contracts.usecases import price_lists, products, rates

    return any([products.purge(tx), price_lists.purge(tx), rates.purge(tx)])


def _purge_quotes(tx: Transaction) -> bool:
    from contracts.usecases import quotes

    return quotes.purge(tx)


def _mark_overdue(tx: Transaction) -> bool:
    from contracts.usecases.contract_clocks import mark_overdue

    return mark_overdue(tx)


def _tell_expiring(tx: Transaction) -> bool:
    from contracts.usecases.contract_clocks import tell_expiring

    return tell_expiring(tx)


def _purge_contracts(tx: Transaction) -> bool:
    from contracts.usecases.contract_clocks import purge

    return purge(tx)


service = Service(
    name="contracts",
    metadata=metadata,
    migrations="contracts.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    patient=True,
    # What reports are made from, and made from again.
    kept_events=tuple(message.full_name for message in events_pb2.DESCRIPTOR.message_types_by_name.values()),
    loops=lambda: [
        Loop("approval clocks", 1.0, _ring_approvals),
        Loop("purge products", 3600.0, _purge_products),
        Loop("purge quotes", 3600.0, _purge_quotes),
        Loop("overdue instalments", 5.0, _mark_overdue),
        Loop("expiring contracts", 5.0, _tell_expiring),
        Loop("purge contracts", 3600.0, _purge_contracts),
    ],
)
