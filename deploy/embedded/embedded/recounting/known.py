"""What of one record others are grouped by, or made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.customers.v1.events_pb2 import CustomerChanged
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.leads.v1.leads_pb2 import Channel
from embedded.owners import Owners
from embedded.recounting.counted import called, moment


@dataclass(slots=True)
class Origin:
    """What a deal has of its lead: where it came from, when, and when somebody answered first. `owner` is whose it is,
    and of one that was deleted whose it was. `of` is what the lead itself is grouped by; None where it is not there any
    more."""

    channel: str
    capture_time: datetime
    answer_time: datetime | None
    owner: str = ""
    of: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """A deal that was won or a contract in force; `opportunity` is what the contract is of."""

    owner: str
    when: datetime
    amount: int
    currency: str
    opportunity: str = ""


class Known:
    """`touches` are the moments at which a record was followed up, `covered` the days on which a customer was,
    `bought` its purchases by the names of their records, and `business` whose the deals of a lead are, and whether they
    were won."""

    def __init__(self, owners: Owners, zone: ZoneInfo) -> None:
        self._owners, self._zone = owners, zone
        self.touches: dict[str, list[datetime]] = defaultdict(list)
        self.covered: dict[str, set[date]] = defaultdict(set)
        self.bought: dict[str, dict[str, Purchase]] = defaultdict(dict)
        self.business: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        self.leads: dict[str, Origin] = {}
        # Deleted ones, too: what was done with them stays in the figures, and where it was.
        self.customers = {one.name: one for one in owners.all("customers", "ListCustomers", show_deleted=True)}

    def here(self, moment: datetime) -> datetime:
        """By the company's clock."""
        return moment.astimezone(self._zone)

    def on(self, day: date | str) -> datetime:
        """When a day began."""
        found = date.fromisoformat(day) if isinstance(day, str) else day
        return datetime.combine(found, time(), self._zone)

    def customer(self, name: str) -> Customer:
        return self.customers.get(name) or (self._customers_gone.get(name) if name else None) or Customer(name=name)

    def lead(self, name: str) -> Origin | None:
        return self.leads.get(name) or (self._leads_gone.get(name) if name else None)

    @cached_property
    def _customers_gone(self) -> dict[str, Customer]:
        """Of those that were ended for good, or merged into others, what was announced last."""
        last: dict[str, tuple[int, Customer]] = {}
        for event, _ in self._owners.told("customers", CustomerChanged):
            name = event.customer.name
            if name not in self.customers and (name not in last or event.version > last[name][0]):
                last[name] = (event.version, event.customer)
        return {name: customer for name, (_, customer) in last.items()}

    @cached_property
    def _leads_gone(self) -> dict[str, Origin]:
        """Of those that were ended for good, what was announced of them."""
        found: dict[str, Origin] = {}
        corrected: dict[str, tuple[int, Any]] = {}
        answered: dict[str, list[datetime]] = defaultdict(list)
        owners: dict[str, str] = {}
        kinds = (
            lead_events.LeadCaptured,
            lead_events.LeadChanged,
            lead_events.LeadContacted,
            lead_events.LeadQualified,
            lead_events.LeadRemoved,
        )
        for event, envelope in self._owners.told("leads", *kinds):
            if isinstance(event, lead_events.LeadChanged):
                version, _ = corrected.get(event.lead.name, (0, None))
                if event.version > version:
                    corrected[event.lead.name] = (event.version, event.lead)
            elif isinstance(event, lead_events.LeadCaptured):
                found.setdefault(event.lead, _origin(event))
            elif isinstance(event, lead_events.LeadRemoved):
                owners[event.lead] = event.owner
            else:
                first = isinstance(event, lead_events.LeadContacted)
                answered[event.lead].append(moment(event.happen_time if first else envelope.time))
        for name, origin in found.items():
            if name in corrected:
                found[name] = origin = _origin(corrected[name][1])
            origin.answer_time, origin.owner = min(answered[name], default=None), owners.get(name, "")
        return {name: origin for name, origin in found.items() if name not in self.leads}


def _origin(said: Any) -> Origin:
    return Origin(called(Channel, said.channel), moment(said.capture_time), None)
