"""Changes of requirements, what other systems recorded, and timelines."""

from __future__ import annotations

from activities.servicer.waiting import for_records
from activities.usecases import change_requests, interactions, timeline
from activities.usecases.kinds import CHANGE_REQUESTS, INTERACTIONS
from activities.wire import messages, reading
from chassis import records
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.activities.v1 import activities_pb2 as pb


class ChangeRequests:
    @command(fetch=for_records(lambda request: [request.change_request.record]))
    def CreateChangeRequest(self, tx: Transaction, request: pb.CreateChangeRequestRequest) -> pb.ChangeRequest:
        reading.request_id(request)
        of = request.change_request
        record = reading.one("change_request.record", reading.record, of.record)
        values = reading.created(of, reading.CHANGE_REQUEST, "change_request", ["type", "detail"])
        return messages.change_request(change_requests.create(tx, record, values))

    @query
    def GetChangeRequest(self, tx: Transaction, request: pb.GetChangeRequestRequest) -> pb.ChangeRequest:
        return messages.change_request(records.find(tx, CHANGE_REQUESTS, request.name, request.show_deleted))

    @query
    def ListChangeRequests(
        self, tx: Transaction, request: pb.ListChangeRequestsRequest
    ) -> pb.ListChangeRequestsResponse:
        found, token, total = records.page(tx, CHANGE_REQUESTS, request)
        return pb.ListChangeRequestsResponse(
            change_requests=map(messages.change_request, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateChangeRequest(self, tx: Transaction, request: pb.UpdateChangeRequestRequest) -> pb.ChangeRequest:
        reading.request_id(request)
        of = request.change_request
        values = reading.changed(of, request.update_mask.paths, reading.CHANGE_REQUEST, "change_request")
        return messages.change_request(change_requests.update(tx, of.name, of.etag, values))

    @command
    def DeleteChangeRequest(self, tx: Transaction, request: pb.DeleteChangeRequestRequest) -> pb.ChangeRequest:
        reading.request_id(request)
        return messages.change_request(change_requests.delete(tx, request.name, request.etag))

    @command
    def UndeleteChangeRequest(self, tx: Transaction, request: pb.UndeleteChangeRequestRequest) -> pb.ChangeRequest:
        reading.request_id(request)
        return messages.change_request(change_requests.undelete(tx, request.name))


class Histories:
    @command(fetch=for_records(lambda request: [request.interaction.record]))
    def CreateInteraction(self, tx: Transaction, request: pb.CreateInteractionRequest) -> pb.Interaction:
        reading.request_id(request)
        values = reading.created(request.interaction, reading.INTERACTION, "interaction", tuple(reading.INTERACTION))
        return messages.interaction(interactions.record(tx, values))

    @query
    def GetInteraction(self, tx: Transaction, request: pb.GetInteractionRequest) -> pb.Interaction:
        return messages.interaction(records.find(tx, INTERACTIONS, request.name, request.show_deleted))

    @query
    def ListInteractions(self, tx: Transaction, request: pb.ListInteractionsRequest) -> pb.ListInteractionsResponse:
        found, token, total = records.page(tx, INTERACTIONS, request)
        return pb.ListInteractionsResponse(
            interactions=map(messages.interaction, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateInteraction(self, tx: Transaction, request: pb.UpdateInteractionRequest) -> pb.Interaction:
        reading.request_id(request)
        of = request.interaction
        values = reading.changed(of, request.update_mask.paths, reading.INTERACTION_CHANGEABLE, "interaction")
        return messages.interaction(interactions.update(tx, of.name, of.etag, values))

    @command
    def DeleteInteraction(self, tx: Transaction, request: pb.DeleteInteractionRequest) -> pb.Interaction:
        reading.request_id(request)
        return messages.interaction(interactions.delete(tx, request.name, request.etag))

    @command
    def UndeleteInteraction(self, tx: Transaction, request: pb.UndeleteInteractionRequest) -> pb.Interaction:
        reading.request_id(request)
        return messages.interaction(interactions.undelete(tx, request.name))

    @query
    def ListTimeline(self, tx: Transaction, request: pb.ListTimelineRequest) -> pb.ListTimelineResponse:
        found, token = timeline.page(tx, request)
        return pb.ListTimelineResponse(entries=map(messages.entry, found), next_page_token=token)
