"""A run as it is kept, its steps as JSON; and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from contracts.domain import approval_form
from contracts.domain.approval import Approval, Outcome, Pass, Run, Seat, Status, Step, Verdict, Why


def run_of(of: Approval) -> Run:
    flow = approval_form.stored(of.flow, of.flow_content)
    return Run(flow, of.owner, of.facts, Status(of.status), steps_from_plain(of.steps), of.due_time)


def steps_to_plain(steps: Iterable[Step]) -> list[Any]:
    return [
        {
            "node": step.node,
            "outcome": step.outcome.name,
            "start": _text(step.start),
            "end": _text(step.end),
            "needed": step.needed,
            "copied": list(step.copied),
            "reason": step.reason,
            "rings": step.rings,
            "values": dict(step.values),
            "seats": [_seat_to_plain(seat) for seat in step.seats],
        }
        for step in steps
    ]


def steps_from_plain(plain: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(
        Step(
            one["node"],
            Outcome[one["outcome"]],
            datetime.fromisoformat(one["start"]),
            tuple(_seat_from_plain(seat) for seat in one["seats"]),
            one["needed"],
            tuple(one["copied"]),
            _moment(one["end"]),
            one["reason"],
            one["rings"],
            one["values"],
        )
        for one in plain
    )


def _seat_to_plain(seat: Seat) -> dict[str, Any]:
    return {
        "line": seat.line,
        "people": list(seat.people),
        "verdict": seat.verdict.name if seat.verdict else "",
        "person": seat.person,
        "comment": seat.comment,
        "at": _text(seat.at),
        "automatic": seat.automatic,
        "passes": [{"giver": p.giver, "to": p.to, "why": p.why.name, "at": _text(p.at)} for p in seat.passes],
    }


def _seat_from_plain(plain: Mapping[str, Any]) -> Seat:
    return Seat(
        plain["line"],
        tuple(plain["people"]),
        Verdict[plain["verdict"]] if plain["verdict"] else None,
        plain["person"],
        plain["comment"],
        _moment(plain["at"]),
        plain["automatic"],
        tuple(
            Pass(one["giver"], one["to"], Why[one["why"]], datetime.fromisoformat(one["at"])) for one in plain["passes"]
        ),
    )


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
