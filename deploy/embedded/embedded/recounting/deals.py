"""Opportunities, by what `opportunities` keeps of each and of its moves through the stages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.opportunities.v1.events_pb2 import OpportunityOpened, StageChanged
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from embedded.owners import Owners
from embedded.recounting.counted import SEVERAL, Counted, called, incomplete, lasted, lent, moment, units
from embedded.recounting.known import Known, Origin, Purchase

_IN_A_STAGE = (Opportunity.OPEN, Opportunity.AWAITING_CONFIRMATION)
_CLOSED = (Opportunity.WON, Opportunity.LOST)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Move:
    """`was` and `now`: where in the way of the pipeline the two stages stood then; 0: not on it. `owner`: whose it
    was after it."""

    of: Any
    time: datetime
    was: int
    now: int
    owner: str


@dataclass(slots=True)
class _Stay:
    """From when until when it was in a stage, on hold included."""

    stage: str
    place: int
    begin: datetime
    end: datetime | None = None


def count(owners: Owners, known: Known) -> Iterator[Counted]:
    announced = _announced(owners)
    for deal in owners.all("opportunities", "ListOpportunities"):
        kept = sorted(owners.all("opportunities", "ListStageChanges", parent=deal.name), key=lambda one: one.name)
        then = announced[deal.name] + [(0, 0, deal.owner)] * len(kept)
        moves = [_Move(one, known.here(moment(one.happen_time)), *how) for one, how in zip(kept, then, strict=False)]
        lead, customer = known.lead(deal.lead), known.customer(deal.customer)
        known.business[deal.lead].append((deal.owner, deal.status == Opportunity.WON))
        if deal.status == Opportunity.WON:
            closed = known.here(moment(deal.close_time))
            known.bought[deal.customer][deal.name] = Purchase(deal.owner, closed, **_worth(deal))
        whole = _of_deal(deal, moves, known, lead, customer)
        # Whoever knows nothing of the lead knows when the deal was opened.
        its_lead = lead if lead is None or lead.owner == deal.owner else Origin("", _opened(deal), None)
        its_customer = customer if customer.owner == deal.owner else Customer()
        if its_lead is lead and its_customer is customer:
            yield from whole
        else:
            yield from lent(whole, _of_deal(deal, moves, known, its_lead, its_customer))


def _announced(owners: Owners) -> dict[str, list[tuple[int, int, str]]]:
    """Of each deal's moves, the opening first, where the stages stood and whose it was: pipelines change and deals are
    given away, and only what was announced says how it was then."""
    told: dict[str, set[tuple[int, int, int, str]]] = defaultdict(set)
    for event, _ in owners.told("opportunities", OpportunityOpened, StageChanged):
        if isinstance(event, OpportunityOpened):
            told[event.opportunity].add((0, 0, event.place, event.owner))
        else:
            told[event.opportunity].add((event.version, event.from_place, event.to_place, event.owner))
    return defaultdict(list, {name: [how[1:] for how in sorted(each)] for name, each in told.items()})


def _worth(deal: Any) -> dict[str, Any]:
    return {"amount": units(deal.amount), "currency": deal.amount.currency_code}


def _opened(deal: Any) -> datetime:
    return moment(deal.open_time if deal.HasField("open_time") else deal.create_time)


def _of_deal(
    deal: Any, moves: Sequence[_Move], known: Known, lead: Origin | None, customer: Customer
) -> Iterator[Counted]:
    of, worth, opened = _grouped(deal, moves, lead, customer), _worth(deal), known.here(_opened(deal))
    yield Counted("deal.opened", opened, of, **worth)
    has = {"CUSTOMER": deal.customer, "AMOUNT": worth["amount"]}
    has |= {"CLOSE_DATE": deal.expected_close_date, "SOURCE": deal.source or deal.lead}
    yield from incomplete("deal.incomplete", opened, of, **has)
    # Nobody captured what has a source and no lead: it came when it was opened.
    came = known.here(lead.capture_time) if lead else opened if deal.source and not deal.lead else None
    if came is not None:
        yield Counted("deal.of_lead", came, of, **worth)
        if deal.status == Opportunity.WON:
            yield Counted("deal.won_of_lead", came, of, **worth)
    stays = _stays(moves)
    yield from _of_stages(deal, stays, of, worth, known)
    for move in moves:
        for what in _departures(move):
            yield Counted("deal.deviated", move.time, {**of, "stage": move.of.from_stage, "detail": what})
    if deal.status in _CLOSED:
        yield from _closed(deal, stays, of, worth, opened, lead, known)
    else:
        yield from _open(deal, moves, stays, of, worth, opened, known)


def _grouped(deal: Any, moves: Sequence[_Move], lead: Origin | None, customer: Customer) -> dict[str, str]:
    products = sorted({*deal.products})
    closed = [move.owner for move in moves if move.of.to_status in _CLOSED] if deal.status in _CLOSED else []
    return {
        "holder": deal.owner,
        "owner": closed[-1] if closed else deal.owner,
        "channel": deal.source or (lead.channel if lead else ""),
        "region": customer.region,
        "industry": deal.industry or customer.industry,
        "customer": customer.name,
        "product": SEVERAL.join(products),
        "pipeline": deal.pipeline,
    }


def _stays(moves: Sequence[_Move]) -> list[_Stay]:
    stays: list[_Stay] = []
    for move in moves:
        status, stage = move.of.to_status, move.of.to_stage
        if status == Opportunity.ON_HOLD:
            continue
        here = stays[-1] if stays and stays[-1].end is None else None
        if here is not None and (status in _CLOSED or stage != here.stage):
            here.end, here = move.time, None
        if here is None and status in _IN_A_STAGE:
            stays.append(_Stay(stage, move.now, move.time))
    return stays


def _first(stays: Sequence[_Stay]) -> dict[str, int]:
    """Which of them was the first in each stage."""
    found: dict[str, int] = {}
    for number, stay in enumerate(stays):
        found.setdefault(stay.stage, number)
    return found


def _of_stages(
    deal: Any, stays: Sequence[_Stay], of: dict[str, str], worth: dict[str, Any], known: Known
) -> Iterator[Counted]:
    """What became of it after it came into a stage, counted when it first did."""
    for stage, number in _first(stays).items():
        first, here = stays[number], {**of, "stage": stage}
        yield Counted("deal.entered", first.begin, here, **worth)
        spent = [lasted(stay.begin, stay.end) for stay in stays if stay.stage == stage and stay.end is not None]
        if spent:
            yield Counted("deal.left", first.begin, here, seconds=sum(spent))
        further = any(stay.place > first.place for stay in stays[number:] if stay.stage != stage)
        if deal.status == Opportunity.WON or further:
            yield Counted("deal.advanced", first.begin, here)
        if deal.status == Opportunity.WON:
            yield Counted("deal.won_from", first.begin, here, **worth)
        if deal.status == Opportunity.LOST:
            yield Counted("deal.lost_from", first.begin, here)
        if deal.status == Opportunity.LOST and stage == stays[-1].stage:
            yield Counted("deal.dropped", first.begin, {**here, "reason": deal.status_reason})
        if any(first.begin <= touch < first.begin + _WEEK for touch in known.touches[deal.name]):
            yield Counted("deal.followed_up", first.begin, here)


def _departures(move: _Move) -> list[str]:
    """How a move departs from the process: through a closed gate, over a stage, or back."""
    found = ["FORCED"] if move.of.forced else []
    if not move.of.from_stage or min(move.was, move.now) < 1 or move.of.from_status != Opportunity.OPEN:
        return found
    if move.of.to_status in (Opportunity.OPEN, Opportunity.WON):
        found += ["SKIPPED"] if move.now > move.was + 1 else ["BACK"] if move.now < move.was else []
    return found


def _closed(
    deal: Any,
    stays: Sequence[_Stay],
    of: dict[str, str],
    worth: dict[str, Any],
    opened: datetime,
    lead: Origin | None,
    known: Known,
) -> Iterator[Counted]:
    closed = known.here(moment(deal.close_time))
    if deal.status == Opportunity.LOST:
        stage = stays[-1].stage if stays else deal.stage
        yield Counted("deal.lost", closed, {**of, "stage": stage, "reason": deal.status_reason}, **worth)
        return
    met = (lead.answer_time or lead.capture_time) if lead else opened
    yield Counted("deal.won", closed, of, seconds=lasted(min(met, opened), closed), **worth)
    products = list(dict.fromkeys(deal.products))
    for place, product in enumerate(products):
        part = worth["amount"] // len(products) + (place < worth["amount"] % len(products))
        yield Counted("deal.sold", closed, {**of, "product": product}, part, worth["currency"])


def _open(
    deal: Any,
    moves: Sequence[_Move],
    stays: Sequence[_Stay],
    of: dict[str, str],
    worth: dict[str, Any],
    opened: datetime,
    known: Known,
) -> Iterator[Counted]:
    last = max([opened, *known.touches[deal.name], *(move.time for move in moves)])
    detail = called(Opportunity.Status, deal.status)
    yield Counted("deal.open", known.here(last), {**of, "stage": deal.stage, "detail": detail}, **worth)
    passed = {stage: stays[number] for stage, number in _first(stays).items()}
    place = passed[deal.stage].place if deal.stage in passed else 0
    for stage, first in passed.items():
        if 0 < first.place < place:
            yield Counted("deal.beyond", first.begin, {**of, "stage": stage})
