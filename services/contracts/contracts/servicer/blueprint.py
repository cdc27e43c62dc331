"""BlueprintService: our part of it, which names who approves."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format

from chassis import arrivals
from chassis.parts import PartServicer
from chassis.rpc import Call, command, outside, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from contracts.usecases import approval_settings
from contracts.usecases.settings import PART
from dealwright.blueprint.v1 import blueprint_pb2 as pb


class BlueprintServicer:
    """Who was added to the directory a moment ago may not have reached our copy yet, and may be said to approve."""

    descriptor = pb.DESCRIPTOR.services_by_name["BlueprintService"]

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._part = PartServicer(PART)

    @query
    def GetPart(self, tx: Transaction, request: pb.GetPartRequest) -> pb.Part:
        return self._part.GetPart(tx, request)

    def _wait(self, call: Call[Any]) -> None:
        names = approval_settings.named(json_format.MessageToJson(call.request.content))
        arrivals.wait_for(self._runtime, call, names, lambda tx: approval_settings.known(tx, names))

    @outside
    def PlanPart(self, call: Call[pb.PlanPartRequest]) -> pb.PlanPartResponse:
        self._wait(call)
        with self._runtime.reading(call.principal) as tx:
            return self._part.PlanPart(tx, call.request)

    @command(fetch=_wait)
    def ApplyPart(self, tx: Transaction, request: pb.ApplyPartRequest) -> pb.Part:
        return self._part.ApplyPart(tx, request)
