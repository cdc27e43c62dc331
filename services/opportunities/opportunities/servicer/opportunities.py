"""Opportunities, and who works on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from chassis import arrivals, bringing, clock, fields, records
from chassis.bringing import Brought
from chassis.errors import Invalid, NotFound, Problem
from chassis.fields import FieldCheck
from chassis.problems import problem
from chassis.rpc import Call, command, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities.domain.opportunity import Opportunity
from opportunities.usecases import bringing as bring
from opportunities.usecases import (
    chain,
    collaborating,
    copies,
    gates,
    keeping,
    moving,
    ownership,
    pipelines,
    reading,
    sharing,
)
from opportunities.usecases.kind import KIND
from opportunities.usecases.moving import Wish
from opportunities.wire import history, messages
from opportunities.wire import reading as wire

_LONGEST_REQUEST_ID = 128
# How long a call waits for what a gate needs: a refusal takes as long.
_GATE_SECONDS = 0.6


def _checked(request: Any, check: FieldCheck | None = None) -> str:
    """The reason, normalised, where the request has one; its request_id and people checked. Raises Invalid."""
    found = check or FieldCheck()
    if request.request_id:
        found.take("request_id", fields.text, request.request_id, _LONGEST_REQUEST_ID)
    reason = getattr(request, "reason", "")
    read = found.take("reason", fields.text, reason, wire.LONGEST_REASON, multiline=True) or ""
    for name in ("person", "owner"):
        if hasattr(request, name):
            found.take(name, wire.person, getattr(request, name))
    if found.violations:
        raise Invalid(found.violations)
    return read


def _wait_for_parties(servicer: OpportunityServicer, call: Call[Any]) -> None:
    _wait_for_those_of(servicer, call, [call.request.opportunity])


def _wait_for_all_parties(servicer: OpportunityServicer, call: Call[Any]) -> None:
    _wait_for_those_of(servicer, call, [one.opportunity for one in call.request.requests])


def _wait_for_those_of(servicer: OpportunityServicer, call: Call[Any], of: Sequence[pb.Opportunity]) -> None:
    names = arrivals.may_come(name for one in of for name in (one.customer, one.contact))
    arrivals.wait_for(servicer.runtime, call, names, lambda tx: copies.known_parties(tx, names))


def _wait_for_news(servicer: OpportunityServicer, call: Call[Any]) -> None:
    """And for what was uploaded, logged or approved just now for the stage that it is to move to."""
    if hasattr(call.request, "opportunity"):
        _wait_for_parties(servicer, call)
    name, stage = wire.moved(call.request)
    if not getattr(call.request, "force", False):
        arrivals.wait_for(servicer.runtime, call, [name], lambda tx: not servicer.lacks(tx, name, stage), _GATE_SECONDS)


def _told(tx: Transaction, of: Opportunity) -> pb.Opportunity:
    (seen,) = collaborating.seen(tx, [of])
    return messages.seen(*seen)


class OpportunityServicer:
    """The company's time zone tells which day it is: for numbers and for close dates."""

    descriptor = pb.DESCRIPTOR.services_by_name["OpportunityService"]

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._zone = clock.company_zone(runtime.settings.company_time_zone)

    def _today(self, tx: Transaction) -> date:
        return tx.now.astimezone(self._zone).date()

    def _wish(self, tx: Transaction, reason: str, force: bool = False) -> Wish:
        return Wish(self._today(tx), force, reason)

    def lacks(self, tx: Transaction, name: str, stage: str) -> bool:
        """Whether the move to a stage, or to won, would be refused for what another service may tell in a moment."""
        try:
            of = records.find(tx, KIND, name)
        except NotFound:
            return False
        return gates.lacks(tx, of, stage, self._today(tx))

    def _bring(
        self, tx: Transaction, request: pb.CreateOpportunityRequest, batch: bool, source: str = ""
    ) -> Brought[Opportunity]:
        check = FieldCheck()
        values = wire.values(request.opportunity, wire.CREATED, check)
        told = history.told(request, check)
        _checked(request, check)
        today, conflict = self._today(tx), request.on_conflict
        if batch or conflict or request.historical:
            given = wire.given(request.opportunity)
            return bring.bring(tx, values, given, today, request.historical, conflict, source, told)
        return Brought(keeping.create(tx, values, today, request.historical), bringing.CREATED)

    @command(fetch=_wait_for_parties)
    def CreateOpportunity(self, tx: Transaction, request: pb.CreateOpportunityRequest) -> pb.Opportunity:
        return _told(tx, self._bring(tx, request, batch=False).record)

    @command(fetch=_wait_for_all_parties)
    def BatchCreateOpportunities(
        self, tx: Transaction, request: pb.BatchCreateOpportunitiesRequest
    ) -> pb.BatchCreateOpportunitiesResponse:
        check = FieldCheck()
        source = check.take("source", fields.text, request.source, 128) or ""
        _checked(request, check)
        answer = pb.BatchCreateOpportunitiesResponse()
        for one in bringing.each(
            tx, request.requests, lambda row: self._bring(tx, row, batch=True, source=source), request.validate_only
        ):
            if isinstance(one, Problem):
                answer.results.add(error=problem(one))
            else:
                told = bringing.message(tx, bring.WAY, one)
                answer.results.add(opportunity=messages.opportunity(one.record), brought=told)
        return answer

    @command
    def TakeBackOpportunities(
        self, tx: Transaction, request: pb.TakeBackOpportunitiesRequest
    ) -> pb.TakeBackOpportunitiesResponse:
        _checked(request)
        return pb.TakeBackOpportunitiesResponse(kept=bring.take_back(tx, request.records, request.source))

    @query
    def GetOpportunity(self, tx: Transaction, request: pb.GetOpportunityRequest) -> pb.Opportunity:
        return _told(tx, records.find(tx, KIND, request.name, request.show_deleted))

    @query
    def ListOpportunities(self, tx: Transaction, request: pb.ListOpportunitiesRequest) -> pb.ListOpportunitiesResponse:
        found, token, total = reading.page(tx, request)
        return pb.ListOpportunitiesResponse(
            opportunities=[messages.seen(*one) for one in collaborating.seen(tx, found)],
            next_page_token=token,
            total_size=total or 0,
        )

    @query
    def SummarizeOpportunities(
        self, tx: Transaction, request: pb.SummarizeOpportunitiesRequest
    ) -> pb.SummarizeOpportunitiesResponse:
        rows = reading.summarize(tx, request.filter)
        return pb.SummarizeOpportunitiesResponse(rows=[messages.row(*row) for row in rows])

    @command(fetch=_wait_for_news)
    def UpdateOpportunity(self, tx: Transaction, request: pb.UpdateOpportunityRequest) -> pb.Opportunity:
        named = wire.paths(request)
        check = FieldCheck()
        values = wire.values(request.opportunity, named, check)
        wish = self._wish(tx, _checked(request, check), request.force)
        of = request.opportunity
        return _told(tx, keeping.change(tx, of.name, of.etag, values, request.historical, wish))

    @command
    def DeleteOpportunity(self, tx: Transaction, request: pb.DeleteOpportunityRequest) -> pb.Opportunity:
        _checked(request)
        return _told(tx, keeping.delete(tx, request.name, request.etag))

    @command
    def UndeleteOpportunity(self, tx: Transaction, request: pb.UndeleteOpportunityRequest) -> pb.Opportunity:
        _checked(request)
        return _told(tx, keeping.undelete(tx, request.name))

    @command(fetch=_wait_for_news)
    def WinOpportunity(self, tx: Transaction, request: pb.WinOpportunityRequest) -> pb.Opportunity:
        wish = self._wish(tx, _checked(request), request.force)
        return _told(tx, moving.win(tx, request.name, request.etag, wish))

    @command
    def LoseOpportunity(self, tx: Transaction, request: pb.LoseOpportunityRequest) -> pb.Opportunity:
        reason = _checked(request)
        before = records.hold(tx, KIND, request.name, request.etag)
        return _told(tx, moving.lose(tx, before, before, reason))

    @command
    def HoldOpportunity(self, tx: Transaction, request: pb.HoldOpportunityRequest) -> pb.Opportunity:
        reason = _checked(request)
        before = records.hold(tx, KIND, request.name, request.etag)
        return _told(tx, moving.hold(tx, before, before, reason))

    @command
    def ResumeOpportunity(self, tx: Transaction, request: pb.ResumeOpportunityRequest) -> pb.Opportunity:
        _checked(request)
        return _told(tx, moving.resume(tx, request.name, request.etag))

    @command
    def ReopenOpportunity(self, tx: Transaction, request: pb.ReopenOpportunityRequest) -> pb.Opportunity:
        return _told(tx, moving.reopen(tx, request.name, request.etag, _checked(request)))

    @command
    def TransferOpportunity(self, tx: Transaction, request: pb.TransferOpportunityRequest) -> pb.Opportunity:
        reason = _checked(request)
        known = request.owner_version
        return _told(tx, ownership.transfer(tx, request.name, request.etag, request.owner, known, reason))

    @command
    def ConfirmOpportunity(self, tx: Transaction, request: pb.ConfirmOpportunityRequest) -> pb.Opportunity:
        if request.owner:
            _checked(request)
        return _told(tx, ownership.confirm(tx, request.name, request.etag, request.owner))

    @command
    def RequestCollaboration(self, tx: Transaction, request: pb.RequestCollaborationRequest) -> pb.Opportunity:
        who, detail, due = wire.collaboration(request)
        return _told(tx, collaborating.request(tx, request.name, request.etag, who, detail, due))

    @query
    def ListGates(self, tx: Transaction, request: pb.ListGatesRequest) -> pb.ListGatesResponse:
        of = records.find(tx, KIND, request.parent)
        # At most a pipeline's stages: one page.
        return pb.ListGatesResponse(stage_gates=map(messages.ahead, gates.ahead(tx, of, self._today(tx))))

    @query
    def ListChain(self, tx: Transaction, request: pb.ListChainRequest) -> pb.ListChainResponse:
        return pb.ListChainResponse(chain_links=map(messages.link, chain.links(tx, request.parent)))

    @command
    def ShareOpportunity(self, tx: Transaction, request: pb.ShareOpportunityRequest) -> pb.Share:
        _checked(request)
        return messages.share(sharing.share(tx, request.name, request.person, request.days))

    @command
    def UnshareOpportunity(self, tx: Transaction, request: pb.UnshareOpportunityRequest) -> pb.Opportunity:
        return _told(tx, sharing.unshare(tx, request.name, wire.unshared(request)))

    @query
    def ListShares(self, tx: Transaction, request: pb.ListSharesRequest) -> pb.ListSharesResponse:
        found, token = reading.shared(tx, request)
        return pb.ListSharesResponse(shares=map(messages.share, found), next_page_token=token)

    @query
    def ListStageChanges(self, tx: Transaction, request: pb.ListStageChangesRequest) -> pb.ListStageChangesResponse:
        found, token = reading.history(tx, request)
        return pb.ListStageChangesResponse(stage_changes=map(messages.stage_change, found), next_page_token=token)

    @query
    def GetPipeline(self, tx: Transaction, request: pb.GetPipelineRequest) -> pb.Pipeline:
        return messages.pipeline(pipelines.get(tx, request.name))

    @query
    def ListPipelines(self, tx: Transaction, request: pb.ListPipelinesRequest) -> pb.ListPipelinesResponse:
        # At most 50: one page.
        return pb.ListPipelinesResponse(pipelines=map(messages.pipeline, pipelines.current(tx)[0]))
