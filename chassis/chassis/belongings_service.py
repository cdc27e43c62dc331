"""What hangs on others' records, for other services to ask."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.belongings import Place, found
from chassis.errors import Invalid
from chassis.rpc import query
from chassis.transaction import Transaction
from dealwright.api.v1 import belongings_pb2

_MOST = 1000


class BelongingsServicer:
    """Serves what hangs on records in these places."""

    descriptor = belongings_pb2.DESCRIPTOR.services_by_name["BelongingsService"]

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places

    @query
    def FindBelongings(
        self, tx: Transaction, request: belongings_pb2.FindBelongingsRequest
    ) -> belongings_pb2.FindBelongingsResponse:
        if not 0 < len(request.names) <= _MOST:
            raise Invalid([("names", f"must be 1 to {_MOST}", f"须为 1 至 {_MOST} 个")])
        answer = belongings_pb2.FindBelongingsResponse()
        for name, kinds in sorted(found(tx, self._places, request.names).items()):
            answer.found.add(name=name, kinds=kinds)
        return answer
