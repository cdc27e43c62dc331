"""What this service is."""

from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Runtime, Service
from contracts.usecases import metadata
from dealwright.contracts.v1 import events_pb2


def _servicers(runtime: Runtime) -> list[object]:
    from chassis.parts import PartServicer
    from contracts.servicer.approvals import ApprovalServicer
    from contracts.servicer.contracts import ContractServicer
    from contracts.servicer.quotes import QuoteServicer
    from contracts.usecases.settings import PART

    return [QuoteServicer(), ApprovalServicer(), ContractServicer(), PartServicer(PART)]


def _subscribers() -> list[Subscription]:
    from contracts import subscribers

    return subscriptions(subscribers)


service = Service(
    name="contracts",
    metadata=metadata,
    migrations="contracts.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    # What reports are made from, and made from again.
    kept_events=tuple(message.full_name for message in events_pb2.DESCRIPTOR.message_types_by_name.values()),
)
