"""What this service is."""

from chassis.bus.subscriptions import Subscription, subscriptions
from chassis.service import Errand, Loop, Runtime, Service
from chassis.transaction import Transaction
from dealwright.leads.v1 import events_pb2
from leads.usecases import metadata


def _servicers(runtime: Runtime) -> list[object]:
    from chassis.history_service import HistoryServicer
    from leads.servicer.imports import ImportServicer
    from leads.servicer.leads import BlueprintServicer, LeadServicer

    return [
        LeadServicer(runtime.settings.company_time_zone),
        ImportServicer(),
        BlueprintServicer(),
        HistoryServicer(service),
    ]


def _errands(runtime: Runtime) -> list[Errand]:
    from leads.servicer.carrying import Carrier

    return [Errand("carry out imports", 0.5, Carrier(runtime).step)]


def _subscribers() -> list[Subscription]:
    from leads import subscribers

    return subscriptions(subscribers)


def _announce_again(tx: Transaction) -> bool:
    from leads.usecases.waiting import announce_again

    return announce_again(tx)


def _list_given(tx: Transaction) -> bool:
    from leads.usecases.leavers import list_given

    return list_given(tx)


def _forget_imports(tx: Transaction) -> bool:
    from leads.usecases.imports import forget_old

    return forget_old(tx)


def _purge(tx: Transaction) -> bool:
    from leads.usecases import deleting, forms

    more = deleting.purge(tx)
    return forms.purge(tx) or more


service = Service(
    name="leads",
    metadata=metadata,
    migrations="leads.migrations",
    servicers=_servicers,
    subscribers=_subscribers,
    # The key of a capture lives as long as its lead: an offline device may send it again after weeks.
    kept_replies=("dealwright.leads.v1.LeadService.CaptureLead",),
    # What reports are made from, and made from again.
    kept_events=tuple(message.full_name for message in events_pb2.DESCRIPTOR.message_types_by_name.values()),
    loops=lambda: [
        Loop("announce waiting leads again", 5.0, _announce_again),
        Loop("list what leavers were given", 15.0, _list_given),
        Loop("forget old imports", 3600.0, _forget_imports),
        Loop("end what was deleted 30 days ago", 3600.0, _purge),
    ],
    errands=_errands,
)
