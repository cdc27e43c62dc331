"""How a run goes on: plain state in, plain state out, and who is to be told. Time and people are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chassis.calendar import NeverOpen, WorkingCalendar
from chassis.errors import Denied, Refused
from contracts.domain import approval_facts, approval_seats
from contracts.domain.approval import Outcome, Run, Seat, Status, Step, Verdict
from contracts.domain.approval_flow import END, Flow, Mode, Node, NodeKind
from contracts.domain.approvers import House

VACANT = timedelta(hours=1)
"""How soon a seat that nobody can take is looked at again."""
REMINDER, ESCALATED, DELEGATED = "REMINDER", "ESCALATED", "DELEGATED"


@dataclass(frozen=True)
class World:
    """What a run stands in: who there is, when the company works, what time it is."""

    house: House
    hours: WorkingCalendar
    now: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """People to be told that it is their turn, or (`copied`) what goes on. `reason` is empty for the first time."""

    people: tuple[str, ...]
    copied: tuple[str, ...] = ()
    due: datetime | None = None
    reason: str = ""


Going = tuple[Run, list[Asked]]


def begin(flow: Flow, asker: str, facts: Mapping[str, Any], world: World) -> Going:
    """Starts a run. It has passed already where nobody has to be asked."""
    return _enter(Run(flow, asker, facts), flow.first, world)


def decide(run: Run, person: str, verdict: Verdict, comment: str, values: Mapping[str, Any], world: World) -> Going:
    """One of those whose turn it is says what he thinks. Raises as `may_answer`."""
    step = may_answer(run, person)
    kept = {**step.values, **values}
    answered = _answered(step, person, verdict, comment, world.now, run.flow.distinct_people)
    run = _put(run, replace(answered, values=kept))
    if values:
        run = replace(run, facts={**run.facts, "fields": {**(run.facts.get("fields") or {}), **values}})
    if verdict is Verdict.RETURN:
        return _end(run, Status.RETURNED, Outcome.RETURNED, world.now), []
    return _judge(run, world)


def may_answer(run: Run, person: str) -> Step:
    """The step that waits for this person. Raises OWN_REQUEST, ALREADY_DECIDED, NOT_PENDING, and Denied for who is not
    asked."""
    step = run.current
    filling = run.node is not None and run.node.kind is NodeKind.FILL_IN
    if person == run.asker and not (filling and person in run.waiting):
        raise Refused("OWN_REQUEST", "Nobody decides on his own request.", "不能审批自己提交的申请。")
    if step is not None and person in run.waiting:
        return step
    asked = {one for seat in (step.seats if step else ()) for one in seat.people}
    if person in run.answered or person in asked:
        raise Refused("ALREADY_DECIDED", "That was decided already.", "该审批已处理，不能重复处理。")
    if step is None:
        raise Refused("NOT_PENDING", "This approval has ended.", "该审批已结束。")
    raise Denied("approvals.decide")


def withdraw(run: Run, now: datetime) -> Run:
    """Who asked takes it back. Raises NOT_PENDING."""
    if run.status is not Status.PENDING:
        raise Refused("NOT_PENDING", "This approval has ended.", "该审批已结束。")
    return _end(run, Status.WITHDRAWN, Outcome.CLOSED, now)


def rehearse(flow: Flow, asker: str, facts: Mapping[str, Any], world: World) -> tuple[Run, tuple[str, ...]]:
    """The run as it goes when everybody agrees (Q13), and the nodes where nobody can be asked, or too few people."""
    run, _ = begin(flow, asker, facts, world)
    vacant: list[str] = []
    while (step := run.current) is not None:
        if _vacant(step) or (flow.distinct_people and approval_seats.is_short(step)):
            vacant.append(step.node)
        own = approval_seats.assigned(_spared(run, step, world))[0] if flow.distinct_people else {}
        seats = tuple(
            replace(seat, verdict=Verdict.APPROVE, person=own.get(place, next(iter(seat.people), "")), at=world.now)
            if seat.verdict is None
            else seat
            for place, seat in enumerate(step.seats)
        )
        run, _ = _judge(_put(run, replace(step, seats=seats)), world)
    return run, tuple(vacant)


def _spared(run: Run, step: Step, world: World) -> dict[int, list[str]]:
    """The open seats of a step, with those at the front of each whom no later node needs."""
    later = run.flow.nodes[run.flow.nodes.index(run.flow.node(step.node)) + 1 :]
    lines = [line for node in later if node.kind is NodeKind.APPROVE for line in node.approvers]
    wanted = [one for _, people in world.house.seats(lines, run.asker) for one in people]
    return {
        place: sorted(people, key=lambda one: (wanted.count(one), one))
        for place, people in approval_seats.open_seats(step.seats).items()
    }


# --- steps ---


def _enter(run: Run, id: str, world: World) -> Going:
    """Goes on from a node to the next that waits for somebody, or to the end."""
    told: list[Asked] = []
    for _ in run.flow.nodes:
        if id == END:
            break
        node = run.flow.node(id)
        step, id = _come_to(run, node, world)
        run = replace(run, steps=(*run.steps, step))
        if step.copied:
            told.append(Asked((), step.copied))
        if step.outcome is Outcome.WAITING:
            if _standing(step) is Outcome.WAITING:
                run = replace(run, due=due(step, node, world))
                return run, [*told, Asked(tuple(sorted(run.waiting)), (), run.due)]
            run = _put(run, replace(step, outcome=Outcome.PASSED, end=world.now))
    if id != END:
        raise ValueError(f"the flow {run.flow.id} goes in a circle")
    return replace(run, status=Status.APPROVED, due=None), told


def _come_to(run: Run, node: Node, world: World) -> tuple[Step, str]:
    """The step that a node makes, and the node after it."""
    now, after = world.now, run.flow.after(node)
    reason = ""
    if node.when:
        outcome = approval_facts.outcome(node.when, run.facts)
        if outcome is False:
            return Step(node.id, Outcome.SKIPPED, now, end=now, reason=node.when), after
        # Without an answer somebody looks at it: the safe side.
        reason = node.when if outcome is True else f"{node.when}: {outcome}"
    if node.kind is NodeKind.BRANCH:
        for branch in node.branches:
            if approval_facts.outcome(branch.when, run.facts) is True:
                return Step(node.id, Outcome.BRANCHED, now, end=now, reason=branch.when), branch.next
        return Step(node.id, Outcome.BRANCHED, now, end=now), after
    own = node.kind is not NodeKind.APPROVE
    seats = world.house.seats(node.approvers, run.asker, own, done(run, node))
    if node.kind is NodeKind.COPY:
        copied = tuple(sorted({one for _, people in seats for one in people}))
        return Step(node.id, Outcome.COPIED, now, copied=copied, end=now, reason=reason), after
    made = tuple(Seat(line, people) for line, people in seats)
    step = Step(node.id, Outcome.WAITING, now, made, needed(node, len(made)), reason=reason)
    if run.flow.ask_once and node.kind is NodeKind.APPROVE:
        for person in agreed(run):
            if any(person in seat.people and seat.verdict is None for seat in step.seats):
                step = _answered(step, person, Verdict.APPROVE, "", now, run.flow.distinct_people, automatic=True)
    return step, after


def needed(node: Node, seats: int) -> int:
    """How many seats of a node have to agree."""
    if node.mode is Mode.ANY:
        return 1
    return min(node.needed, seats) if node.mode is Mode.N_OF_M else seats


def done(run: Run, node: Node) -> frozenset[str]:
    """Those who take no seat of a node: they have had one, and the flow wants different people."""
    if not run.flow.distinct_people:
        return frozenset()
    here = approval_seats.answered(run.current) if run.current and run.current.node == node.id else frozenset()
    return here | (frozenset(agreed(run)) if node.kind is NodeKind.APPROVE else frozenset())


def agreed(run: Run) -> list[str]:
    """Who has agreed so far, in that order."""
    approving = {node.id for node in run.flow.nodes if node.kind is NodeKind.APPROVE}
    said = [seat for step in run.steps if step.node in approving for seat in step.seats]
    return list(dict.fromkeys(seat.person for seat in said if seat.verdict is Verdict.APPROVE))


def _answered(
    step: Step, person: str, verdict: Verdict, comment: str, now: datetime, distinct: bool, automatic: bool = False
) -> Step:
    """One person says it once: for the seat that has fewest others, and for those that only he can take. From the
    other seats he goes, so that a countersign is by as many people as there are. `distinct`: he takes one and no more,
    one that leaves others enough for the rest."""
    open_seats = [(len(seat.people), place) for place, seat in enumerate(step.seats) if _may_take(seat, person)]
    his = approval_seats.best(step.seats, person) if distinct else min(open_seats)[1]
    seats = list(step.seats)
    for _, place in open_seats:
        seat = seats[place]
        if place == his or (len(seat.people) == 1 and not distinct):
            seats[place] = replace(
                seat, verdict=verdict, person=person, comment=comment, at=now, automatic=automatic or place != his
            )
        else:
            seats[place] = replace(seat, people=tuple(one for one in seat.people if one != person))
    return replace(step, seats=tuple(seats))


def _may_take(seat: Seat, person: str) -> bool:
    return seat.verdict is None and person in seat.people


def _standing(step: Step) -> Outcome:
    """Passed when enough agree, rejected when enough cannot agree any more."""
    agree = sum(seat.verdict is Verdict.APPROVE for seat in step.seats)
    refuse = sum(seat.verdict is Verdict.REJECT for seat in step.seats)
    if refuse and len(step.seats) - refuse < step.needed:
        return Outcome.REJECTED
    return Outcome.PASSED if agree >= step.needed else Outcome.WAITING


def _judge(run: Run, world: World) -> Going:
    """Whether the step that waits has been decided, and what follows."""
    step, node = run.current, run.node
    if step is None or node is None:
        return run, []
    standing = _standing(step)
    if standing is Outcome.WAITING:
        # A seat may have lost the only one who could take it: he has taken another.
        return (replace(run, due=due(step, node, world)) if _vacant(step) else run), []
    if standing is Outcome.REJECTED:
        return _end(run, Status.REJECTED, standing, world.now), []
    run = replace(_put(run, replace(step, outcome=standing, end=world.now)), due=None)
    return _enter(run, run.flow.after(node), world)


def _vacant(step: Step) -> bool:
    return any(seat.verdict is None and not seat.people for seat in step.seats)


def _put(run: Run, step: Step) -> Run:
    """The run with its last step replaced."""
    return replace(run, steps=(*run.steps[:-1], step))


def _end(run: Run, status: Status, outcome: Outcome, now: datetime) -> Run:
    steps: Sequence[Step] = run.steps
    if run.current is not None:
        steps = (*run.steps[:-1], replace(run.steps[-1], outcome=outcome, end=now))
    return replace(run, status=status, steps=tuple(steps), due=None)


def due(step: Step, node: Node, world: World) -> datetime | None:
    """When the clock of a step rings next, counted from now in working time."""
    if _vacant(step):
        return world.now + VACANT
    if not node.timeout_hours:
        return None
    span = timedelta(hours=node.timeout_hours)
    try:
        return world.hours.add_working(world.now, span)
    except NeverOpen:  # hours that never come again are no reason to wait for ever
        return world.now + span
