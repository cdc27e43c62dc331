"""What this service is."""

from activities.usecases import metadata
from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Errand, Loop, Runtime, Service
from chassis.transaction import Transaction
from dealwright.activities.v1 import events_pb2


def _servicers(runtime: Runtime) -> list[object]:
    from activities.servicer.activities import ActivityServicer
    from activities.servicer.files import FileServicer
    from activities.servicer.notices import NoticeServicer
    from activities.usecases.belongings import PLACES
    from activities.usecases.settings import PART
    from chassis.belongings_service import BelongingsServicer
    from chassis.history_service import HistoryServicer
    from chassis.parts import PartServicer

    return [
        ActivityServicer(runtime),
        FileServicer(runtime),
        NoticeServicer(runtime),
        PartServicer(PART),
        BelongingsServicer(PLACES),
        HistoryServicer(service),
    ]


def _subscribers() -> list[Subscription]:
    from activities.subscribers import copies, history, leads, notices, work

    return [one for module in (copies, leads, work, history, notices) for one in subscriptions(module)]


def _purge(tx: Transaction) -> bool:
    from activities.usecases.purging import purge

    return purge(tx)


def _errands(runtime: Runtime) -> list[Errand]:
    """In `serve`: object stores are reached by code that the bus worker cannot run."""
    from activities.usecases import mails, storing

    return [
        Errand("mails", 1.0, lambda: mails.send_due(runtime)),
        Errand("sweep files", storing.EVERY, lambda: storing.sweep(runtime)),
    ]


def _seed(tx: Transaction) -> None:
    from activities.usecases import first_start

    first_start.seed(tx)


service = Service(
    name="activities",
    metadata=metadata,
    migrations="activities.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    patient=True,
    loops=lambda: [Loop("end what was deleted 30 days ago", 3600.0, _purge)],
    errands=_errands,
    seed=_seed,
    # What reports are made from, and made from again.
    kept_events=tuple(message.full_name for message in events_pb2.DESCRIPTOR.message_types_by_name.values()),
)
