"""What this service is."""

from activities.usecases import metadata
from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Runtime, Service
from dealwright.activities.v1 import events_pb2


def _servicers(runtime: Runtime) -> list[object]:
    from activities.servicer.activities import ActivityServicer
    from activities.servicer.files import FileServicer
    from activities.usecases.settings import PART
    from chassis.parts import PartServicer

    return [ActivityServicer(), FileServicer(), PartServicer(PART)]


def _subscribers() -> list[Subscription]:
    from activities.subscribers import copies

    return [one for module in (copies,) for one in subscriptions(module)]


service = Service(
    name="activities",
    metadata=metadata,
    migrations="activities.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    # What reports are made from, and made from again.
    kept_events=tuple(message.full_name for message in events_pb2.DESCRIPTOR.message_types_by_name.values()),
)
