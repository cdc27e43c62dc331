"""Approvals are asked for, decided, handed on and taken back (Q2 to Q12, Q18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis import fields, records
from chassis.errors import Denied, Invalid, Refused
from chassis.fields import FieldCheck
from chassis.money import Money
from chassis.transaction import Transaction
from contracts.domain import approval_facts, approval_moves, approval_run, approval_seats, approval_written
from contracts.domain.approval import Approval, EndReason, Run, Status, Verdict
from contracts.domain.approval_flow import Flow, Node, NodeKind, Words
from contracts.domain.approval_plain import run_of
from contracts.domain.approval_run import World
from contracts.domain.approvers import Colleague
from contracts.domain.party import Party
from contracts.storage import approvals as stored
from contracts.storage import parties
from contracts.usecases import approval_world, outcomes
from contracts.usecases.approval_kind import KIND, create, held, keep

LONGEST_ANSWER = 10_000
_REMIND_AGAIN = 3600
_DONE = {Verdict.APPROVE: "agreed", Verdict.REJECT: "rejected", Verdict.RETURN: "returned"}
_CURE = "Name others in the approver groups (approverGroups), or switch distinctPeople off in the flow {}."
_CURE_ZH = "请在审批组（approverGroups）中指定不同成员，或关闭流程 {} 的 distinctPeople。"
_NO_FLOW = Flow("", Words("", ""), "", ())


def request(
    tx: Transaction,
    kind: str,
    record: str,
    *,
    opportunity: str,
    customer: str,
    amount: Money | None,
    facts: Mapping[str, Any],
    flow: str = "",
    asker: str = "",
) -> Approval:
    """Asks for an approval of a record by the flow for its kind ("quote", "contract", "contractChange",
    "opportunity", …), or the one that is named.

    `facts` are what conditions speak of: "discount" (percent), and any others, which they read as `fields.name`.
    `asker` is the caller unless given. Where nobody has to agree the answer is APPROVED already, and `outcomes.ended`
    has not been called for it: the caller looks at `status`. Raises Refused PENDING for what is asked about already,
    NO_APPROVER, and NO_FLOW for a flow that is named and not there.
    """
    who = asker or tx.principal.person
    party = parties.find(tx, customer, hold=True) if customer else None
    customer = party.name if party else customer
    stored.lock_record(tx, record)
    flows, groups, version = approval_world.settings(tx)
    every = flows.values() if not flow else [one for one in [flows.get(flow)] if one is not None and one.enabled]
    world = approval_world.world(tx, every, [who], groups)
    known = world.house.people.get(who) or Colleague(who, tx.principal.role, tx.principal.team)
    spoken = _facts(tx, kind, record, known, customer, party, amount, facts)
    chosen = next(iter(every), None) if flow else chosen_flow(flows, kind, spoken)
    if flow and chosen is None:
        raise Refused("NO_FLOW", f"There is no approval flow {flow}.", f"没有审批流程 {flow}。")
    running = chosen or _NO_FLOW
    if running.id in stored.pending_of(tx, record):
        raise Refused("PENDING", f"{record} waits for an approval already.", f"{record} 正在审批中。")
    _refuse_vacant(running, who, spoken, world)
    run, told = approval_run.begin(running, who, spoken, world)
    made = Approval(
        name=KIND.new_name(),
        kind=running.subject or kind,
        record=record,
        opportunity=opportunity,
        customer=customer,
        flow=running.id,
        flow_version=version,
        flow_content=approval_written.flow(running) if chosen else {},
        status=Status.PENDING.value,
        owner=who,
        team=known.team,
        amount=amount.units if amount else None,
        currency=amount.currency if amount else "",
        facts={},
        steps=[],
        due_time=None,
        remind_time=None,
        end_time=None,
        end_reason=0,
        version=1,
        create_time=tx.now,
        update_time=tx.now,
        delete_time=None,
    )
    return create(tx, made, run, told)


def chosen_flow(flows: Mapping[str, Flow], kind: str, facts: Mapping[str, Any]) -> Flow | None:
    """The flow that such a thing runs by; None where the company has set none."""
    fitting = [flow for flow in flows.values() if flow.enabled and flow.subject == kind]
    for flow in sorted(fitting, key=lambda one: (one.order, one.id)):
        if not flow.when or approval_facts.outcome(flow.when, facts) is True:
            return flow
    return None


def _refuse_vacant(flow: Flow, asker: str, facts: Mapping[str, Any], world: World) -> None:
    """Nobody waits for an approval that nobody can give."""
    if not flow.nodes:
        return
    run, vacant = approval_run.rehearse(flow, asker, facts, world)
    if not vacant:
        return
    words = flow.node(vacant[0]).display_name
    seats = next(step.seats for step in run.steps if step.node == vacant[0])
    if any(not seat.people for seat in seats):
        english, chinese = f"Nobody can be asked at the step {words.english}", f"步骤“{words.chinese}”没有可用的审批人"
        if flow.distinct_people:
            english += f" who has not agreed before. {_CURE.format(flow.id)}"
            chinese += f"（不含此前已同意者）。{_CURE_ZH.format(flow.id)}"
        raise Refused("NO_APPROVER", f"{english.rstrip('.')}.", f"{chinese.rstrip('。')}。")
    there = {place: seat.people for place, seat in enumerate(seats) if not seat.automatic}
    short = sorted(approval_seats.assigned(there)[1])
    lines = [_called(seats[place].line, world) for place in short]
    people = len({one for place in short for one in seats[place].people})
    raise Refused(
        "NO_APPROVER",
        f"The step {words.english} is signed by different people, and there are {people} for {len(short)} seats: "
        f"{', '.join(english for english, _ in lines)}. {_CURE.format(flow.id)}",
        f"步骤“{words.chinese}”须由不同人员会签，但以下 {len(short)} 个席位只有 {people} 人可选："
        f"{'、'.join(chinese for _, chinese in lines)}。{_CURE_ZH.format(flow.id)}",
    )


def _called(line: str, world: World) -> tuple[str, str]:
    """A seat's line as people know it, in English and Chinese."""
    group = world.house.groups.get(line.removeprefix("group:"))
    return (
        (f"{group.display_name.english} ({line})", f"{group.display_name.chinese}（{line}）") if group else (line, line)
    )


def _facts(
    tx: Transaction,
    kind: str,
    record: str,
    asker: Colleague,
    customer: str,
    party: Party | None,
    amount: Money | None,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    percents = {name: approval_facts.number(given.get(name)) for name in ("discount", "unlisted_percent")}
    further = {key: value for key, value in given.items() if key not in (*percents, "fields")}
    own = approval_facts.plain({**further, **(given.get("fields") or {})})
    return {
        "kind": kind,
        "record": record,
        "asker": asker.name,
        "asker_role": asker.role,
        "asker_team": asker.team,
        "asker_region": asker.region,
        "customer": customer,
        "customer_tier": party.tier if party else "",
        "amount": approval_facts.plain(amount.amount) if amount else None,
        "home_amount": approval_facts.plain(approval_world.home_amount(tx, amount)),
        "currency": amount.currency if amount else "",
        # No money: as JSON has numbers.
        **{name: None if percent is None else float(percent) for name, percent in percents.items()},
        "fields": own,
    }


def withdraw_for(tx: Transaction, record: str, why: EndReason) -> list[Approval]:
    """Ends whatever is asked about a record, because it goes away; `outcomes.ended` is not called. Expects the record
    to be held by the caller."""
    return _withdrawn(tx, dict.fromkeys(stored.pending_of(tx, record).values(), why))


def end_with(tx: Transaction, over: Mapping[str, EndReason]) -> None:
    """These opportunities are over: nobody is asked any more about them, their quotes, or contracts that are not
    signed. What was agreed to by then stays, and should they go on, the rest is asked for anew."""
    pending = stored.pending_of_deals(tx, list(over))
    for ended in _withdrawn(tx, {name: over[opportunity] for name, opportunity in pending.items()}):
        outcomes.ended(tx, ended)


def _withdrawn(tx: Transaction, why: Mapping[str, EndReason]) -> list[Approval]:
    return [
        keep(tx, of, approval_run.withdraw(run_of(of), tx.now), [], "withdrawn", end_reason=why[of.name].value)
        for of in records.of_names(tx, KIND, list(why), lock=True).values()
        if of.status == Status.PENDING.value
    ]


def decide(
    tx: Transaction, name: str, etag: str, verdict: Verdict, comment: str, values: Mapping[str, Any]
) -> Approval:
    """The caller says what he thinks; at the end of the run its record learns of it (Q4)."""
    before = held(tx, name, etag)
    run, person = run_of(before), tx.principal.person
    step = approval_run.may_answer(run, person)
    _check_values(run.flow.node(step.node), verdict, values)
    run, told = approval_run.decide(run, person, verdict, comment, values, _world(tx, run))
    after = keep(tx, before, run, told, _DONE[verdict])
    if run.status is not Status.PENDING:
        outcomes.ended(tx, after)
    return after


def delegate(tx: Transaction, name: str, etag: str, to: str) -> Approval:
    """The caller lets somebody else decide in his place."""
    before = held(tx, name, etag)
    run = run_of(before)
    approval_run.may_answer(run, tx.principal.person)
    world = approval_world.world(tx, [], [to], {})
    if not world.house.is_active(to):
        raise Invalid([("to", f"{to} is not known, or has left", f"{to} 不存在或已离职")])
    run, told = approval_moves.delegate(run, tx.principal.person, to, world)
    return keep(tx, before, run, told, "delegated")


def withdraw(tx: Transaction, name: str, etag: str) -> Approval:
    """Who asked takes it back. Raises Denied for anybody else but an administrator."""
    before = held(tx, name, etag)
    if before.owner != tx.principal.person and tx.principal.role != "admin":
        raise Denied("approvals.withdraw")
    after = keep(tx, before, approval_run.withdraw(run_of(before), tx.now), [], "withdrawn")
    outcomes.ended(tx, after)
    return after


def remind(tx: Transaction, name: str) -> Approval:
    """Those whose turn it is are told once more, at most once an hour."""
    before = held(tx, name)
    if before.owner != tx.principal.person:
        before = records.hold(tx, KIND, name)
    run, told = approval_moves.remind(run_of(before))
    if before.remind_time is not None and (tx.now - before.remind_time).total_seconds() < _REMIND_AGAIN:
        raise Refused("REMINDED", "They were reminded within the last hour.", "一小时内已提醒过。")
    return keep(tx, before, run, told, "reminded", remind_time=tx.now)


def _world(tx: Transaction, run: Run) -> World:
    return approval_world.world(tx, [run.flow], {run.asker, *run.involved})


def _check_values(node: Node, verdict: Verdict, values: Mapping[str, Any]) -> None:
    """Raises Invalid for fields that the node has not, for those that are missing, and for a refusal by who only fills
    in."""
    check = FieldCheck()
    blanks = {blank.id: blank for blank in node.fields}
    for key in sorted(values.keys() - blanks.keys()):
        check.refuse(f"values.{key[:64]}", "there is no such field at this step", "该步骤没有这个字段")
    for id, value in values.items():
        if isinstance(value, str):
            check.take(f"values.{id[:64]}", fields.text, value, LONGEST_ANSWER, multiline=True)
        elif not isinstance(value, bool | int | float):
            check.refuse(f"values.{id[:64]}", "must be a text, a number, true or false", "须为文本、数字或是否")
    if node.kind is NodeKind.FILL_IN:
        if verdict is Verdict.REJECT:
            check.refuse("verdict", "fill in, or send it back", "填写节点只能提交或退回")
        for blank in blanks.values() if verdict is Verdict.APPROVE else ():
            if blank.required and values.get(blank.id) in (None, ""):
                check.refuse(f"values.{blank.id}", "must be filled in", "必填")
    if check.violations:
        raise Invalid(check.violations)
