"""gRPC in; unpack, call, pack."""

from __future__ import annotations

from typing import Any

from chassis import arrivals, clock
from chassis.errors import Invalid
from chassis.rpc import Call, command, outside, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.rules.v1 import rules_pb2
from rules import usecases, wire
from rules.usecases import automations, blueprint, policies

# A page of verification ends well before its caller gives up, and soon enough not to be in everybody's way.
_OF_THE_TIME = 0.7
_LONGEST_PAGE = 15.0


def await_people(runtime: Runtime, people: set[str], call: Call[Any]) -> None:
    """Who was added to the directory a moment ago may not have reached our copy yet."""
    arrivals.wait_for(runtime, call, people, lambda tx: policies.people_known(tx, people))


class RuleServicer:
    descriptor = rules_pb2.DESCRIPTOR.services_by_name["RuleService"]

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @query
    def GetPolicy(self, tx: Transaction, request: rules_pb2.GetPolicyRequest) -> rules_pb2.Policy:
        return policies.get_policy(tx, request.name)

    @query
    def ListPolicies(self, tx: Transaction, request: rules_pb2.ListPoliciesRequest) -> rules_pb2.ListPoliciesResponse:
        return rules_pb2.ListPoliciesResponse(policies=[policies.get_policy(tx, policies.NAME)])

    def _await_people(self, call: Call[rules_pb2.UpdatePolicyRequest]) -> None:
        await_people(self._runtime, wire.people_named(wire.plain(call.request.policy.content)), call)

    @command(fetch=_await_people)
    def UpdatePolicy(self, tx: Transaction, request: rules_pb2.UpdatePolicyRequest) -> rules_pb2.Policy:
        policies.check_name(request.policy.name)
        for path in request.update_mask.paths:
            if path.split(".", 1)[0] not in ("content", "*"):
                raise Invalid([("updateMask", f"{path} cannot be set", f"{path} 不可修改")])
        return policies.publish_policy(
            tx, wire.plain(request.policy.content), request.policy.etag, request.validate_only
        )

    @query
    def ListDecisions(
        self, tx: Transaction, request: rules_pb2.ListDecisionsRequest
    ) -> rules_pb2.ListDecisionsResponse:
        size = min(request.page_size or 20, 100)
        if request.page_size < 0 or (request.page_token and not request.page_token.isdecimal()):
            field = "pageSize" if request.page_size < 0 else "pageToken"
            raise Invalid([(field, "is not one that we gave", "无效")])
        found = usecases.decisions_about(tx, request.parent, size, int(request.page_token or 0))
        more = str(found[-1].entry) if len(found) == size else ""
        return rules_pb2.ListDecisionsResponse(decisions=found, next_page_token=more)

    @query
    def GetLedger(self, tx: Transaction, request: rules_pb2.GetLedgerRequest) -> rules_pb2.Ledger:
        return usecases.ledger(tx, request.name)

    @query
    def ListLedgers(self, tx: Transaction, request: rules_pb2.ListLedgersRequest) -> rules_pb2.ListLedgersResponse:
        return rules_pb2.ListLedgersResponse(ledgers=usecases.ledgers(tx))

    @outside
    def VerifyJournal(self, call: Call[rules_pb2.VerifyJournalRequest]) -> rules_pb2.VerifyJournalResponse:
        until = clock.monotonic() + min(call.left() * _OF_THE_TIME, _LONGEST_PAGE)
        with self._runtime.reading(call.principal) as tx:
            return usecases.verify_journal(
                tx, call.request.from_entry or 1, lambda: clock.monotonic() < until and call.waits()
            )

    @query
    def SimulatePolicy(
        self, tx: Transaction, request: rules_pb2.SimulatePolicyRequest
    ) -> rules_pb2.SimulatePolicyResponse:
        if request.from_entry < 0 or request.to_entry < 0:
            raise Invalid([("fromEntry", "must not be negative", "不能为负")])
        return usecases.simulate(tx, wire.plain(request.content), request.from_entry, request.to_entry)

    @query
    def ListTimers(self, tx: Transaction, request: rules_pb2.ListTimersRequest) -> rules_pb2.ListTimersResponse:
        return rules_pb2.ListTimersResponse(timers=usecases.timers_of(tx, request.parent))

    @query
    def PreviewAutomations(
        self, tx: Transaction, request: rules_pb2.PreviewAutomationsRequest
    ) -> rules_pb2.PreviewAutomationsResponse:
        facts, content = wire.plain(request.facts), wire.plain(request.content)
        return rules_pb2.PreviewAutomationsResponse(outcomes=automations.preview(tx, request.on, facts, content))


class BlueprintServicer:
    descriptor = blueprint_pb2.DESCRIPTOR.services_by_name["BlueprintService"]

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @query
    def GetPart(self, tx: Transaction, request: blueprint_pb2.GetPartRequest) -> blueprint_pb2.Part:
        return blueprint.part(tx)

    @outside
    def PlanPart(self, call: Call[blueprint_pb2.PlanPartRequest]) -> blueprint_pb2.PlanPartResponse:
        self._await_people(call)
        with self._runtime.reading(call.principal) as tx:
            return blueprint.plan(tx, wire.plain(call.request.content))

    def _await_people(self, call: Call[Any]) -> None:
        await_people(self._runtime, blueprint.people_named(wire.plain(call.request.content)), call)

    @command(fetch=_await_people)
    def ApplyPart(self, tx: Transaction, request: blueprint_pb2.ApplyPartRequest) -> blueprint_pb2.Part:
        return blueprint.apply(tx, wire.plain(request.content), request.expected_version)
