"""Follow-ups."""

from __future__ import annotations

from activities.domain.follow_up import Wanted
from activities.servicer.waiting import for_records
from activities.usecases import follow_ups, frequency, latest
from activities.usecases.kinds import FOLLOW_UPS
from activities.wire import messages, reading
from chassis import bringing, records
from chassis.errors import Invalid, Problem
from chassis.problems import problem
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.activities.v1 import activities_pb2 as pb


def _wanted(request: pb.CreateFollowUpRequest) -> Wanted:
    values = reading.created(request.follow_up, reading.NEW_FOLLOW_UP, "follow_up", ["record"])
    stage = reading.one("to_stage", reading.text(80), request.to_stage)
    origin = reading.one("origin", reading.text(128), request.origin)
    return Wanted(values, request.historical, stage, bool(request.on_conflict), origin)


def _read(request: pb.CreateFollowUpRequest) -> Wanted | Problem:
    try:
        return _wanted(request)
    except Invalid as wrong:
        return wrong


class FollowUps:
    @command(fetch=for_records(lambda request: [request.follow_up.record]))
    def CreateFollowUp(self, tx: Transaction, request: pb.CreateFollowUpRequest) -> pb.FollowUp:
        reading.request_id(request)
        return messages.follow_up(follow_ups.create(tx, _wanted(request)))

    @command(fetch=for_records(lambda request: [one.follow_up.record for one in request.requests[: reading.MOST_ROWS]]))
    def BatchCreateFollowUps(
        self, tx: Transaction, request: pb.BatchCreateFollowUpsRequest
    ) -> pb.BatchCreateFollowUpsResponse:
        reading.request_id(request)
        if not 1 <= len(request.requests) <= reading.MOST_ROWS:
            most = reading.MOST_ROWS
            raise Invalid([("requests", f"must be 1 to {most}", f"须为 1 至 {most} 条")])
        rows = [_read(one) for one in request.requests]
        wanted = [one for one in rows if isinstance(one, Wanted)]
        made = iter(follow_ups.tried(tx, wanted) if request.validate_only else follow_ups.create_all(tx, wanted))
        found = [next(made) if isinstance(one, Wanted) else one for one in rows]
        answer = pb.BatchCreateFollowUpsResponse()
        for each in found:
            if isinstance(each, Problem):
                answer.results.add(error=problem(each))
            else:
                told = bringing.message(tx, follow_ups.WAY, each)
                answer.results.add(follow_up=messages.follow_up(each.record), brought=told)
        return answer

    @command
    def TakeBackFollowUps(self, tx: Transaction, request: pb.TakeBackFollowUpsRequest) -> pb.TakeBackFollowUpsResponse:
        reading.request_id(request)
        return pb.TakeBackFollowUpsResponse(kept=follow_ups.take_back(tx, request.records))

    @query
    def GetFollowUp(self, tx: Transaction, request: pb.GetFollowUpRequest) -> pb.FollowUp:
        return messages.follow_up(records.find(tx, FOLLOW_UPS, request.name, request.show_deleted))

    @query
    def ListFollowUps(self, tx: Transaction, request: pb.ListFollowUpsRequest) -> pb.ListFollowUpsResponse:
        found, token, total = records.page(tx, FOLLOW_UPS, request)
        return pb.ListFollowUpsResponse(
            follow_ups=map(messages.follow_up, found), next_page_token=token, total_size=total or 0
        )

    @query
    def SummarizeFollowUps(
        self, tx: Transaction, request: pb.SummarizeFollowUpsRequest
    ) -> pb.SummarizeFollowUpsResponse:
        rows = frequency.summarize(tx, request.filter)
        return pb.SummarizeFollowUpsResponse(rows=[messages.often(*row) for row in rows])

    @query
    def ListLatestFollowUps(
        self, tx: Transaction, request: pb.ListLatestFollowUpsRequest
    ) -> pb.ListLatestFollowUpsResponse:
        found, token = latest.page(tx, request)
        return pb.ListLatestFollowUpsResponse(latest=map(messages.latest, found), next_page_token=token)

    @command
    def UpdateFollowUp(self, tx: Transaction, request: pb.UpdateFollowUpRequest) -> pb.FollowUp:
        reading.request_id(request)
        of = request.follow_up
        values = reading.changed(of, request.update_mask.paths, reading.FOLLOW_UP, "follow_up")
        return messages.follow_up(follow_ups.update(tx, of.name, of.etag, values))

    @command
    def DeleteFollowUp(self, tx: Transaction, request: pb.DeleteFollowUpRequest) -> pb.FollowUp:
        reading.request_id(request)
        return messages.follow_up(follow_ups.delete(tx, request.name, request.etag))

    @command
    def UndeleteFollowUp(self, tx: Transaction, request: pb.UndeleteFollowUpRequest) -> pb.FollowUp:
        reading.request_id(request)
        return messages.follow_up(follow_ups.undelete(tx, request.name))
