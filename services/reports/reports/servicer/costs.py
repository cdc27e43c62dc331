"""What channels cost."""

from __future__ import annotations

from chassis.nouns import Noun
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.reports.v1 import costs_pb2 as pb
from reports.usecases import costs
from reports.usecases.costs import COSTS
from reports.wire import cost_messages as wire

_COSTS = Noun(COSTS, "channel_cost", costs, wire.read, wire.cost, wire.GIVEN, wire.CHANGEABLE)


class CostServicer:
    """The standard methods."""

    descriptor = pb.DESCRIPTOR.services_by_name["CostService"]

    @command
    def CreateChannelCost(self, tx: Transaction, request: pb.CreateChannelCostRequest) -> pb.ChannelCost:
        return _COSTS.create(tx, request)

    @query
    def GetChannelCost(self, tx: Transaction, request: pb.GetChannelCostRequest) -> pb.ChannelCost:
        return _COSTS.get(tx, request)

    @query
    def ListChannelCosts(self, tx: Transaction, request: pb.ListChannelCostsRequest) -> pb.ListChannelCostsResponse:
        return _COSTS.list(tx, request, pb.ListChannelCostsResponse)

    @command
    def UpdateChannelCost(self, tx: Transaction, request: pb.UpdateChannelCostRequest) -> pb.ChannelCost:
        return _COSTS.update(tx, request)

    @command
    def DeleteChannelCost(self, tx: Transaction, request: pb.DeleteChannelCostRequest) -> pb.ChannelCost:
        return _COSTS.delete(tx, request)

    @command
    def UndeleteChannelCost(self, tx: Transaction, request: pb.UndeleteChannelCostRequest) -> pb.ChannelCost:
        return _COSTS.undelete(tx, request)
