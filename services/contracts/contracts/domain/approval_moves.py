"""What happens to a step while it waits: seats handed on, clocks that ring, people who leave."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from chassis.errors import Refused
from contracts.domain.approval import Pass, Run, Seat, Status, Step, Why
from contracts.domain.approval_flow import NodeKind, OnTimeout
from contracts.domain.approval_run import (
    DELEGATED,
    ESCALATED,
    REMINDER,
    Asked,
    Going,
    World,
    agreed,
    done,
    due,
    may_answer,
)


def delegate(run: Run, person: str, to: str, world: World) -> Going:
    """One whose turn it is lets somebody else decide in his place. Raises as `may_answer`, OWN_REQUEST for who asked,
    REPORTS_TO_ASKER for who reports to him, ALREADY_AGREED for who has agreed to it before, DELEGATION_LOOP for who had
    the seat before, ALREADY_ASKED for who has a say at this step anyway."""
    step = may_answer(run, person)
    if to == run.asker:
        raise Refused("OWN_REQUEST", "Nobody decides on his own request.", "不能审批自己提交的申请。")
    if _approves(run) and world.house.reports_to(to, run.asker):
        raise Refused("REPORTS_TO_ASKER", f"{to} reports to who asks.", f"{to} 是申请人的下级，不能审批其申请。")
    if _approves(run) and to in agreed(run):
        raise Refused("ALREADY_AGREED", f"{to} has agreed to it already.", f"{to} 已同意过该申请，不能再次审批。")
    his = [seat for seat in step.seats if seat.verdict is None and person in seat.people]
    if any(passed.giver == to and passed.why is Why.DELEGATED for seat in his for passed in seat.passes):
        raise Refused("DELEGATION_LOOP", f"{to} has passed it on already.", f"{to} 已转交过该审批，不能再转回。")
    if any(to in (*seat.people, seat.person) for seat in step.seats):
        raise Refused("ALREADY_ASKED", f"{to} is asked already.", f"{to} 已在审批人之中。")

    def hand_on(seat: Seat) -> Seat:
        if seat.verdict is not None or person not in seat.people:
            return seat
        people = tuple(sorted({*seat.people, to} - {person}))
        return replace(seat, people=people, passes=(*seat.passes, Pass(person, to, Why.DELEGATED, world.now)))

    return _each(run, step, hand_on), [Asked((to,), (), run.due, DELEGATED)]


def remind(run: Run) -> Going:
    """Those whose turn it is are told once more. Raises NOT_PENDING."""
    if run.status is not Status.PENDING:
        raise Refused("NOT_PENDING", "This approval has ended.", "该审批已结束。")
    return run, [Asked(tuple(sorted(run.waiting)), (), run.due, REMINDER)]


def ring(run: Run, world: World) -> Going:
    """The clock of the step that waits has run out: seats that nobody could take are filled where somebody can by now,
    people are reminded, or their managers are asked as well."""
    step, node = run.current, run.node
    if step is None or node is None:
        return run, []
    before, without = run.waiting, done(run, node)
    vacant = any(seat.verdict is None and not seat.people for seat in step.seats)
    if vacant:
        own = not _approves(run)
        run = _each(run, step, lambda seat: _filled(seat, run.asker, own, world, without))
    elif node.on_timeout is OnTimeout.ESCALATE or (node.on_timeout is OnTimeout.REMIND_THEN_ESCALATE and step.rings):
        run = _each(run, step, lambda seat: _escalated(seat, run.asker, without, world))
    step = run.steps[-1]
    if not vacant:
        step = replace(step, rings=step.rings + 1)
    run = replace(run, steps=(*run.steps[:-1], step), due=due(step, node, world))
    new = tuple(sorted(run.waiting - before))
    if new:
        return run, [Asked(new, (), run.due, "" if vacant else ESCALATED)]
    return run, [] if vacant else [Asked(tuple(sorted(run.waiting)), (), run.due, REMINDER)]


def leave(run: Run, person: str, world: World) -> Going:
    """Somebody left the company: what waits for him goes to his manager, unless others can take the seat (or nobody is
    above him: then whoever the line names otherwise). Expects a house in which he is not active any more."""
    step, node = run.current, run.node
    if step is None or node is None or person not in run.waiting:
        return run, []
    before, without = run.waiting, done(run, node)

    def follow(seat: Seat) -> Seat:
        if seat.verdict is not None or person not in seat.people:
            return seat
        others = tuple(one for one in seat.people if one != person)
        heirs = others or tuple(_above(person, run.asker, without, world))[:1]
        heirs = heirs or world.house.seat(seat.line, run.asker, not _approves(run), without)
        passed = Pass(person, "" if others else next(iter(heirs), ""), Why.LEFT, world.now)
        return replace(seat, people=heirs, passes=(*seat.passes, passed))

    run = _each(run, step, follow)
    vacant = any(seat.verdict is None and not seat.people for seat in run.steps[-1].seats)
    if vacant:
        run = replace(run, due=due(run.steps[-1], node, world))
    new = tuple(sorted(run.waiting - before))
    return run, [Asked(new, (), run.due, DELEGATED)] if new else []


def _each(run: Run, step: Step, change: Callable[[Seat], Seat]) -> Run:
    return replace(run, steps=(*run.steps[:-1], replace(step, seats=tuple(map(change, step.seats)))))


def _approves(run: Run) -> bool:
    """Whether the step that waits decides, and is not just filled in."""
    return run.node is not None and run.node.kind is NodeKind.APPROVE


def _above(person: str, asker: str, without: Collection[str], world: World) -> list[str]:
    """Managers of somebody who may decide on a request, the nearest first."""
    house = world.house
    return [
        one for one in house.chain(person) if one != asker and one not in without and not house.reports_to(one, asker)
    ]


def _filled(seat: Seat, asker: str, own: bool, world: World, without: frozenset[str]) -> Seat:
    if seat.verdict or seat.people:
        return seat
    return replace(seat, people=world.house.seat(seat.line, asker, own, without))


def _escalated(seat: Seat, asker: str, without: Collection[str], world: World) -> Seat:
    """With the nearest manager of each of its people who has not been asked yet."""
    if seat.verdict is not None:
        return seat
    people, passes = list(seat.people), list(seat.passes)
    for person in seat.people:
        above = next((one for one in _above(person, asker, without, world) if one not in people), "")
        if above:
            people.append(above)
            passes.append(Pass(person, above, Why.ESCALATED, world.now))
    return replace(seat, people=tuple(sorted(people)), passes=tuple(passes))
