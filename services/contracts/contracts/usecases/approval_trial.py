"""A flow is tried on facts before it is published (Q13): the path that each would take, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chassis import records
from chassis.access import Scope
from chassis.errors import NotFound
from chassis.fields import FieldCheck
from chassis.money import Money
from chassis.transaction import Transaction
from contracts.domain import approval_facts, approval_form, approval_run, approval_written
from contracts.domain.approval import Outcome, Run
from contracts.domain.approval_flow import Flow, NodeKind
from contracts.storage import approvals as stored
from contracts.usecases import approval_settings, approval_world, company
from contracts.usecases.approval_kind import KIND
from contracts.usecases.approval_settings import APPROVAL_FLOWS, APPROVER_GROUPS

Problem = tuple[str, str, str]
Tried = tuple[int, str, Run, Sequence[str]]
_TRIED = "tried"


def simulate(
    tx: Transaction, plain: Mapping[str, Any] | None, flow_id: str, samples: Sequence[Mapping[str, Any]], last: int
) -> tuple[list[Problem], list[Tried], list[tuple[str, int, int]]]:
    """What is wrong with a flow; how each sample, and each of the last approvals, would run by it when everybody
    agrees; and how often each node was come to, and asked. Raises NotFound for an id that is none."""
    flows, groups, _ = approval_world.settings(tx)
    if plain is None:
        if flow_id not in flows:
            raise NotFound(f"approvalFlows/{flow_id[:64]}")
        flow = flows[flow_id]
    else:
        check = FieldCheck()
        flow = approval_form.flow(_TRIED, plain, check, "flow")
        if not check.violations:
            content = {
                APPROVAL_FLOWS: {_TRIED: approval_written.flow(flow)},
                APPROVER_GROUPS: approval_written.groups(groups.values()),
            }
            approval_settings.used(tx, {APPROVAL_FLOWS: {}, APPROVER_GROUPS: {}}, content, check)
        if check.violations:
            return [(_bare(path), english, chinese) for path, english, chinese in check.violations], [], []
    cases = [(number, "", _facts(tx, sample)) for number, sample in enumerate(samples)]
    cases += [(0, name, facts) for name, facts in _last(tx, flow_id, last)]
    askers = {str(facts.get("asker") or "") for _, _, facts in cases}
    world = approval_world.world(tx, [flow], askers, groups)
    tried: list[Tried] = [
        (number, name, *approval_run.rehearse(flow, str(facts.get("asker") or ""), facts, world))
        for number, name, facts in cases
    ]
    return [], tried, _visits(flow, tried)


def _bare(path: str) -> str:
    return path.removeprefix("flow.").removeprefix(f"{APPROVAL_FLOWS}.{_TRIED}.")


def _facts(tx: Transaction, sample: Mapping[str, Any]) -> dict[str, Any]:
    """A sample as a run has its facts; what has no name of its own is read as `fields.name`. The asker is the caller
    unless it says who."""
    known = {name: str(sample[name]) for name in approval_facts.TEXTS if sample.get(name)}
    numbers = {name: approval_facts.number(sample.get(name)) for name in approval_facts.NUMBERS}
    if numbers["home_amount"] is None and numbers["amount"] is not None:
        home = company.current(tx).currency
        amount = Money(numbers["amount"], known.get("currency", home))
        numbers["home_amount"] = approval_world.home_amount(tx, amount)
    further = {key: value for key, value in sample.items() if key not in approval_facts.NAMES}
    own = sample.get("fields")
    fields = {**further, **(own if isinstance(own, Mapping) else {})}
    return {
        **dict.fromkeys(approval_facts.TEXTS, ""),
        "asker": tx.principal.person,
        **known,
        **approval_facts.plain(numbers),
        "fields": fields,
    }


def _last(tx: Transaction, flow_id: str, most: int) -> list[tuple[str, dict[str, Any]]]:
    if not most or tx.principal.scope(KIND.resource, "read") is Scope.NONE:
        return []
    select = KIND.select.where(records.criteria(KIND, tx.principal, "read"))
    return [(one.name, one.facts) for one in stored.last(tx, select, flow_id, most)]


def _visits(flow: Flow, tried: Iterable[Tried]) -> list[tuple[str, int, int]]:
    visits, asked = dict.fromkeys((node.id for node in flow.nodes), 0), dict.fromkeys((n.id for n in flow.nodes), 0)
    asking = {node.id for node in flow.nodes if node.kind in (NodeKind.APPROVE, NodeKind.FILL_IN)}
    for _, _, run, _ in tried:
        for step in run.steps:
            visits[step.node] += 1
            if step.node in asking and step.outcome is not Outcome.SKIPPED:
                asked[step.node] += not all(seat.automatic for seat in step.seats)
    return [(id, visits[id], asked[id]) for id in visits]
