"""A countersign by different people: who takes which seat, so that nobody takes two."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from contracts.domain.approval import Seat, Step


def assigned(seats: Mapping[int, Collection[str]]) -> tuple[dict[int, str], set[int]]:
    """Somebody of his own for every seat, for as many as can have one; and the seats that fall short: those that have
    fewer people among them than they are. Seats are given by their place, with those who may take them."""
    taken: dict[str, int] = {}
    short: set[int] = set()

    def find(place: int, seen: set[str]) -> bool:
        for person in seats[place]:
            if person not in seen:
                seen.add(person)
                if person not in taken or find(taken[person], seen):
                    taken[person] = place
                    return True
        return False

    for place in seats:
        seen: set[str] = set()
        if not find(place, seen):
            short |= {place, *(taken[person] for person in seen)}
    return {place: person for person, place in taken.items()}, short


def open_seats(seats: Sequence[Seat], without: str = "") -> dict[int, list[str]]:
    """The seats that nobody has used, with who may take them."""
    return {
        place: [one for one in seat.people if one != without]
        for place, seat in enumerate(seats)
        if seat.verdict is None
    }


def best(seats: Sequence[Seat], person: str) -> int:
    """The seat that somebody takes so that others can take as many of the rest as ever; of such, the one that fewest
    others can take."""
    rest = open_seats(seats, without=person)

    def left(place: int) -> int:
        return len(assigned({other: people for other, people in rest.items() if other != place})[0])

    his = [place for place in rest if person in seats[place].people]
    return min(his, key=lambda place: (-left(place), len(seats[place].people), place))


def is_short(step: Step) -> bool:
    """Whether there are too few different people for the seats of a step that waits."""
    used = sum(seat.verdict is not None for seat in step.seats)
    return used + len(assigned(open_seats(step.seats))[0]) < step.needed


def answered(step: Step) -> frozenset[str]:
    """Those who have had their say at a step."""
    return frozenset(seat.person for seat in step.seats if seat.person)
