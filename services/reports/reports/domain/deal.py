"""What is known of an opportunity, and what it adds to the figures.

The funnel is a cohort's (V10): whether a deal went on from a stage, how long it stayed, whether it was won or lost is
posted at the moment when it first came into that stage. So the conversion of those who entered in a month is a quotient
of two sums, and is never over one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from reports.domain import rate, several
from reports.domain.folding import Folding, News, Part, newer, plainly
from reports.domain.posting import Posting, incomplete, lent, replace, with_values

OPEN, WON, LOST, ON_HOLD, AWAITING = 1, 2, 3, 4, 5
SOON = 7 * 86_400_000_000
"""Within which a follow-up counts for B5's rate."""
_REGION, _STAGE = (Posting._fields.index(name) for name in ("region", "stage"))


@dataclass(frozen=True, slots=True)
class Move:
    """From one stage to another; `version` is the deal's after it. Places count from 1 on the pipeline's way; 0: not
    on it. `from_stage` is empty for the opening. `owner` is whose the deal was then; "": not known."""

    version: int
    time: int
    from_stage: str
    to_stage: str
    from_place: int
    to_place: int
    from_status: int
    to_status: int
    forced: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Deal:
    """`version` is of the newest state. `touches` are its follow-ups: name, version, and when it was
    (0: it was deleted). `region` and `customer_industry` come from its customer, who is `customer_holder`'s;
    `first_contact_time`, `lead_time` (when it was captured; 0: not known) and `lead_channel` from its lead, which is
    `lead_holder`'s. `abroad` is the day by whose `rate` a purchase comes to the company's currency, "" where it needs
    none. `blank` are those of the fields that it should have that have no value."""

    version: int = 0
    deleted: bool = False
    owner: str = ""
    customer: str = ""
    lead: str = ""
    channel: str = ""
    industry: str = ""
    products: tuple[str, ...] = ()
    pipeline: str = ""
    stage: str = ""
    status: int = 0
    amount: int = 0
    currency: str = ""
    create_time: int = 0
    close_time: int = 0
    reason: str = ""
    moves: tuple[Move, ...] = ()
    touches: tuple[tuple[str, int, int], ...] = ()
    region: str = ""
    customer_industry: str = ""
    first_contact_time: int = 0
    lead_channel: str = ""
    lead_time: int = 0
    abroad: str = ""
    rate: str = ""
    blank: tuple[str, ...] = ()
    customer_holder: str = ""
    lead_holder: str = ""


_STATE = (
    *("version", "deleted", "owner", "customer", "lead", "channel", "industry", "products", "pipeline"),
    *("stage", "status", "amount", "currency", "create_time", "close_time", "reason", "abroad", "blank"),
)


def fold(deal: Deal, news: News) -> Deal:
    """What is known with this as well."""
    values = news.values
    if news.what == "state":
        if not newer(values, deal):
            return deal
        same = (values["abroad"], values["currency"]) == (deal.abroad, deal.currency)
        return replace(deal, **{name: values[name] for name in _STATE}, rate=deal.rate if same else "")
    if news.what == "moved":
        moves = {move.version: move for move in deal.moves} | {values["version"]: Move(**values)}
        return replace(deal, moves=tuple(moves[version] for version in sorted(moves)))
    if news.what == "touched":
        touches = {name: (version, time) for name, version, time in deal.touches}
        said = (values["version"], values["time"])
        touches[values["follow_up"]] = max(said, touches.get(values["follow_up"], said))
        return replace(deal, touches=tuple((name, *touches[name]) for name in sorted(touches)))
    if news.what == "customer":
        its = {"region": values["region"], "customer_industry": values["industry"], "customer_holder": values["holder"]}
        return replace(deal, **its)
    if news.what == "lead":
        return replace(
            deal,
            first_contact_time=values["first_contact_time"],
            lead_channel=values["channel"],
            lead_time=values["capture_time"],
            lead_holder=values["holder"],
        )
    if news.what == "rate":
        return replace(deal, rate=rate.on(values, deal.abroad) if deal.abroad else "")
    raise ValueError(news.what)


def _parts(name: str, deal: Deal) -> Sequence[Part]:
    """Its lead became business; one that was won is a purchase of its customer's."""
    if not deal.version or deal.deleted:
        return ()
    found: list[Part] = [(deal.lead, ("deal", name, deal.owner, deal.status == WON))] if deal.lead else []
    if deal.customer and deal.status == WON:
        worth = rate.worth(deal.amount, deal.abroad, deal.rate)
        found.append((deal.customer, ("deal", name, deal.owner, deal.close_time, worth)))
    return found


def _plain(deal: Deal) -> list[Any]:
    plain: list[Any] = plainly(deal)
    return plain


def _read(plain: list[Any]) -> Deal:
    values: Mapping[str, Any] = dict(zip((part.name for part in fields(Deal)), plain, strict=True))
    return Deal(
        **{
            **values,
            "products": tuple(values["products"]),
            "blank": tuple(values["blank"]),
            "moves": tuple(Move(*move) for move in values["moves"]),
            "touches": tuple((name, version, time) for name, version, time in values["touches"]),
        }
    )


def _links(deal: Deal) -> tuple[str, str, str]:
    return deal.customer, deal.lead, rate.link(deal.currency, deal.abroad)


def _holder(deal: Deal) -> str:
    return deal.owner


@dataclass(slots=True)
class _Visit:
    """All of a deal's time in one stage."""

    stage: str
    begin: int
    place: int
    seconds: int = 0
    left: bool = False
    advanced: bool = False
    since: int = field(default=0)


def postings(deal: Deal) -> list[Posting]:
    """What it adds now, with what its customer and its lead lend it and without; nothing while its state is not known
    or it is deleted."""
    if not deal.version or deal.deleted:
        return []
    known = _posted(deal)
    if deal.lead_time:
        # Whoever knows nothing of the lead knows when the deal was opened.
        alone = replace(deal, lead_channel="", first_contact_time=0, lead_time=deal.create_time)
        known = lent(known, _posted(alone), "lead_holder", deal.lead_holder)
    if (deal.region, known[0].industry) == ("", deal.industry):
        return known
    of_itself = [with_values(one, _REGION, "", deal.industry) for one in known]
    return lent(known, of_itself, "customer_holder", deal.customer_holder)


def _posted(deal: Deal) -> list[Posting]:
    bare = Posting(
        "",
        0,
        holder=deal.owner,
        owner=_counts_for(deal),
        channel=deal.channel or deal.lead_channel,
        region=deal.region,
        industry=deal.industry or deal.customer_industry,
        customer=deal.customer,
        product=several.joined(deal.products),
        pipeline=deal.pipeline,
        lead=deal.lead,
    )
    worth = replace(bare, amount=deal.amount, currency=deal.currency if deal.amount else "")
    visits = _visits(deal)
    last = _stood_in(deal)
    opened = with_values(worth, 0, "deal.opened", deal.create_time)
    found = [opened, *incomplete(opened, "deal", deal.blank), *_of_source(deal, worth)]
    for visit in visits:
        here, costly = (with_values(one, _STAGE, visit.stage) for one in (bare, worth))
        found.append(with_values(costly, 0, "deal.entered", visit.begin))
        if visit.left:
            found.append(replace(here, fact="deal.left", happen_time=visit.begin, seconds=visit.seconds))
        if visit.advanced or deal.status == WON:
            found.append(with_values(here, 0, "deal.advanced", visit.begin))
        if deal.status == WON:
            found.append(with_values(costly, 0, "deal.won_from", visit.begin))
        if deal.status == LOST:
            found.append(with_values(here, 0, "deal.lost_from", visit.begin))
        if deal.status == LOST and visit.stage == last:
            found.append(replace(here, fact="deal.dropped", happen_time=visit.begin, reason=deal.reason))
        if any(visit.begin <= touch < visit.begin + SOON for *_, touch in deal.touches):
            found.append(with_values(here, 0, "deal.followed_up", visit.begin))
    found += [
        replace(bare, fact="deal.deviated", happen_time=move.time, stage=move.from_stage, detail=detail)
        for move in deal.moves
        for detail in _deviations(move)
    ]
    return found + _beyond(deal, bare, visits) + _ending(deal, worth, last)


def _counts_for(deal: Deal) -> str:
    """Whose it is, and of one that is closed whose it was then: all that it adds, so that nobody's conversion has deals
    won that it has not opened."""
    if deal.status not in (WON, LOST):
        return deal.owner
    closed = [move.owner for move in deal.moves if move.to_status in (WON, LOST) and move.owner]
    return closed[-1] if closed else deal.owner


def _beyond(deal: Deal, bare: Posting, visits: Sequence[_Visit]) -> list[Posting]:
    """An open deal is beyond the stages that it passed."""
    if deal.status in (WON, LOST):
        return []
    place = next((visit.place for visit in visits if visit.stage == deal.stage), 0)
    return [
        replace(bare, fact="deal.beyond", happen_time=visit.begin, stage=visit.stage)
        for visit in visits
        if 0 < visit.place < place
    ]


def _of_source(deal: Deal, worth: Posting) -> list[Posting]:
    """What became of the lead counts where the lead was captured; a deal without a lead that has a source of its own
    counts where it was opened, so that the return on a source that makes no leads is told, too."""
    since = deal.lead_time if deal.lead else deal.create_time if deal.channel else 0
    if not since:
        return []
    came = replace(worth, fact="deal.of_lead", happen_time=since)
    return [came, replace(came, fact="deal.won_of_lead")] if deal.status == WON else [came]


def _ending(deal: Deal, worth: Posting, last: str) -> list[Posting]:
    closed = replace(worth, happen_time=deal.close_time)
    if deal.status == WON:
        began = min((time for time in (deal.first_contact_time, deal.create_time) if time), default=0)
        took = max(0, deal.close_time - began) // 1_000_000
        sold = [
            replace(closed, fact="deal.sold", amount=share, product=product)
            for product, share in zip(deal.products, _shares(deal.amount, len(deal.products)), strict=True)
        ]
        return [replace(closed, fact="deal.won", seconds=took), *sold]
    if deal.status == LOST:
        return [replace(closed, fact="deal.lost", stage=last, reason=deal.reason)]
    touched = max((deal.create_time, *(touch for *_, touch in deal.touches), *(move.time for move in deal.moves)))
    detail = {ON_HOLD: "ON_HOLD", AWAITING: "AWAITING_CONFIRMATION"}.get(deal.status, "OPEN")
    return [replace(worth, fact="deal.open", happen_time=touched, stage=deal.stage, detail=detail)]


def _visits(deal: Deal) -> list[_Visit]:
    """The open stages that it was in, by when it first came into each; the time on hold is the stage's it stood in."""
    found: dict[str, _Visit] = {}
    here: _Visit | None = None
    for move in deal.moves:
        gone = move.to_status in (WON, LOST) or (here is not None and move.to_stage != here.stage)
        if here is not None and move.to_status != ON_HOLD and gone:
            here.seconds += max(0, move.time - here.since) // 1_000_000
            here.left = True
            here = None
        if move.to_status in (OPEN, AWAITING) and here is None:
            here = found.setdefault(move.to_stage, _Visit(move.to_stage, move.time, move.to_place))
            here.since = move.time
            for visit in found.values():
                if visit is not here and visit.place < move.to_place:
                    visit.advanced = True
    return list(found.values())


def _stood_in(deal: Deal) -> str:
    """The open stage that it came into last: what is lost was lost in it."""
    open_stages = [move.to_stage for move in deal.moves if move.to_status in (OPEN, AWAITING)]
    return open_stages[-1] if open_stages else deal.stage


def _deviations(move: Move) -> list[str]:
    """How a move departs from the process (O40)."""
    found = ["FORCED"] if move.forced else []
    if move.from_stage and min(move.from_place, move.to_place) > 0 and move.to_status in (OPEN, WON):
        if move.from_status == OPEN and move.to_place > move.from_place + 1:
            found.append("SKIPPED")
        elif move.from_status == OPEN and move.to_place < move.from_place:
            found.append("BACK")
    return found


def _shares(amount: int, parts: int) -> Sequence[int]:
    """An amount in parts that are as equal as whole units allow, and sum to it."""
    if not parts:
        return ()
    each, rest = divmod(amount, parts)
    return [each + (1 if place < rest else 0) for place in range(parts)]


FOLDING = Folding(Deal(), fold, postings, _plain, _read, _links, parts=_parts, holder=_holder)
