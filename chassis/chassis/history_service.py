"""What a service told, for other services to ask."""

from __future__ import annotations

from chassis import history
from chassis.errors import Invalid
from chassis.rpc import query
from chassis.service import Service
from chassis.transaction import Transaction
from dealwright.api.v1 import history_pb2


class HistoryServicer:
    """Tells a service's kept events again."""

    descriptor = history_pb2.DESCRIPTOR.services_by_name["HistoryService"]

    def __init__(self, service: Service) -> None:
        self._kept = frozenset(service.kept_events)

    @query
    def ListMessages(
        self, tx: Transaction, request: history_pb2.ListMessagesRequest
    ) -> history_pb2.ListMessagesResponse:
        if not request.types or not self._kept.issuperset(request.types):
            known = ", ".join(sorted(self._kept))
            raise Invalid([("types", f"one or more of {known}", f"须为其中一个或多个：{known}")])
        rows = min(request.page_size or history.USUAL, history.MOST)
        found = history.page(tx, request.types, request.page_token, rows)
        answer = history_pb2.ListMessagesResponse(
            messages=[history_pb2.ListMessagesResponse.Message(id=one.id, body=one.body) for one in found.messages]
        )
        if found.more:
            answer.next_page_token = found.messages[-1].id
        return answer
