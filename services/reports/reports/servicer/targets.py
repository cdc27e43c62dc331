"""What is to be reached."""

from __future__ import annotations

from chassis.nouns import Noun
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.reports.v1 import targets_pb2 as pb
from reports.usecases import targets
from reports.usecases.targets import TARGETS
from reports.wire import target_messages as wire

_TARGETS = Noun(TARGETS, "target", targets, wire.read, wire.target, wire.GIVEN, wire.CHANGEABLE)


class TargetServicer:
    """The standard methods."""

    descriptor = pb.DESCRIPTOR.services_by_name["TargetService"]

    @command
    def CreateTarget(self, tx: Transaction, request: pb.CreateTargetRequest) -> pb.Target:
        return _TARGETS.create(tx, request)

    @query
    def GetTarget(self, tx: Transaction, request: pb.GetTargetRequest) -> pb.Target:
        return _TARGETS.get(tx, request)

    @query
    def ListTargets(self, tx: Transaction, request: pb.ListTargetsRequest) -> pb.ListTargetsResponse:
        return _TARGETS.list(tx, request, pb.ListTargetsResponse)

    @command
    def UpdateTarget(self, tx: Transaction, request: pb.UpdateTargetRequest) -> pb.Target:
        return _TARGETS.update(tx, request)

    @command
    def DeleteTarget(self, tx: Transaction, request: pb.DeleteTargetRequest) -> pb.Target:
        return _TARGETS.delete(tx, request)

    @command
    def UndeleteTarget(self, tx: Transaction, request: pb.UndeleteTargetRequest) -> pb.Target:
        return _TARGETS.undelete(tx, request)
