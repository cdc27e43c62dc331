"""What an import brought, taken back: never from under something that people made since."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dealwright.activities.v1 import activities_pb2
from dealwright.api.v1 import belongings_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.opportunities.v1 import opportunities_pb2
from leads.domain.imports import WORKED_ON, ImportKind, Job, Outcome, Result, hanging
from leads.peers import Peers

# Who keeps something about such records, whoever may take longest to undo first.
_ASKED: Mapping[int, Sequence[str]] = {
    ImportKind.LEADS: ("activities",),
    ImportKind.CUSTOMERS: ("activities", "contracts", "opportunities", "customers"),
    ImportKind.CONTACTS: ("activities", "contracts", "opportunities"),
    ImportKind.OPPORTUNITIES: ("activities", "contracts", "opportunities"),
    ImportKind.FOLLOW_UPS: (),
}
_CALLS: Mapping[int, tuple[str, str, Any]] = {
    ImportKind.CUSTOMERS: ("customers", "TakeBackCustomers", customers_pb2.TakeBackCustomersRequest),
    ImportKind.CONTACTS: ("customers", "TakeBackCustomers", customers_pb2.TakeBackCustomersRequest),
    ImportKind.OPPORTUNITIES: (
        "opportunities",
        "TakeBackOpportunities",
        opportunities_pb2.TakeBackOpportunitiesRequest,
    ),
    ImportKind.FOLLOW_UPS: ("activities", "TakeBackFollowUps", activities_pb2.TakeBackFollowUpsRequest),
}
_BACK = frozenset({Outcome.MADE, Outcome.UPDATED, Outcome.MERGED, Outcome.TOUCHED})


class TakingBack:
    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def hanging(self, job: Job, results: Sequence[Result], trace: str) -> dict[str, list[str]]:
        """Of the records that these rows made those on which something hangs by now, with its kinds. An import brings
        one kind of records alone, so nothing of it hangs on another of its own. Raises Away."""
        names = sorted({result.record for result in results if result.outcome == Outcome.MADE})
        request = belongings_pb2.FindBelongingsRequest(names=names)
        found: dict[str, list[str]] = {}
        for service in _ASKED[job.kind] if names else ():
            for one in self._peers.belongings(service, request, trace).found:
                found.setdefault(one.name, []).extend(one.kinds)
        return found

    def take_back(self, job: Job, number: int, results: Sequence[Result], trace: str) -> list[Result]:
        """A block that another service's records were made of, undone, the last row first. Raises Away, Refused."""
        held = self.hanging(job, results, trace)
        service, method, make = _CALLS[job.kind]
        request = make(request_id=f"{job.name}/{job.version}/back/{number}")
        if job.kind != ImportKind.FOLLOW_UPS:
            request.source = job.name
        for result in reversed(results):
            if result.outcome in _BACK and result.record not in held:
                undo = result.undo or {}
                before = base64.b64decode(undo.get("before", ""))
                request.records.add(name=result.record, left=undo.get("left", ""), before=before)
        kept = set(self._peers.call(service, method, request, None, trace).kept) if request.records else set()
        return [_after(result, held, kept) if result.outcome in _BACK else result for result in results]


def _after(result: Result, held: Mapping[str, Sequence[str]], kept: set[str]) -> Result:
    if result.record in held:
        return result.stays(hanging(held[result.record]))
    if result.record in kept:
        return result.stays(WORKED_ON)
    return replace(result, outcome=Outcome.TAKEN_BACK, undo=None)
