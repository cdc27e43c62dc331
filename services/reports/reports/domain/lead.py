"""What is known of a lead, and what it adds to the figures.

Two clocks run, and are never mixed (V9): from the capture to the first answer of a human being, whoever's the lead was
then, and from each assignment to the first contact by that owner. What became of those who came in an hour is posted
at that hour: a scan that is heard of hours late changes the figures of its own hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from reports.domain.folding import Folding, News, plainly
from reports.domain.posting import HOUR, Posting, incomplete, made_of, replace, with_values

WAITING, UNASSIGNED, ASSIGNED, CONTACTED, QUALIFIED, DISQUALIFIED, POOLED = range(1, 8)
DELETED = 9
_OPEN = {WAITING: "WAITING", UNASSIGNED: "UNASSIGNED", ASSIGNED: "ASSIGNED", CONTACTED: "CONTACTED"}
_BANDS = (("1h", HOUR), ("2h", 2 * HOUR), ("4h", 4 * HOUR), ("24h", 24 * HOUR))
_HOLDER, _DETAIL = (Posting._fields.index(name) for name in ("holder", "detail"))
BANDS = (*(name for name, _ in _BANDS), "later")
"""How soon, each of what the ones before do not have."""
UNDELETED = "UNDELETED"


@dataclass(frozen=True, slots=True)
class Said:
    """What it says of itself. A capture has version 0, and the first announced counts; then the newest correction.
    `blank` are those of the fields that it should have that have no value."""

    version: int
    event: str
    channel: str
    region: str
    industry: str
    capture_time: int
    blank: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """An ownership: whose, since when, how it began. `version` counts a lead's changes of owner."""

    version: int
    owner: str
    how: str
    begin: int


@dataclass(frozen=True, slots=True)
class Release:
    """An owner gave it back, or it was taken from him."""

    version: int
    time: int
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lead:
    """`standing` is the newest of (owner version, time, status, reason); `waiting` the newest (owner version, time) at
    which it was announced as wanting an owner, `unassigned` the owner version at which nobody could take it. `contacts`
    are the first (owner version, time) of each ownership. `touches` are its follow-ups: name, version, and when it was
    (0: it was deleted). `parts` are how often each opportunity of it counts: ("deal", name, whose, whether it was
    won)."""

    said: Said | None = None
    terms: tuple[Term, ...] = ()
    contacts: tuple[tuple[int, int], ...] = ()
    contact_time: int = 0
    releases: tuple[Release, ...] = ()
    standing: tuple[int, int, int, str] = (-1, 0, 0, "")
    waiting: tuple[int, int] = (-1, 0)
    unassigned: int = -1
    touches: tuple[tuple[str, int, int], ...] = ()
    removed: bool = False
    parts: tuple[tuple[tuple[Any, ...], int], ...] = ()


def fold(lead: Lead, news: News) -> Lead:
    """What is known with this as well."""
    values = news.values
    match news.what:
        case "said":
            return _heard(lead, Said(**values))
        case "waiting":
            return replace(lead, waiting=max(lead.waiting, (values["version"], values["time"])))
        case "unassigned":
            return replace(lead, unassigned=max(lead.unassigned, values["version"]))
        case "stands":
            stands = (values["version"], values["time"], values["status"], values["reason"])
            return replace(lead, standing=max(lead.standing, stands))
        case "began":
            terms = {term.version: term for term in lead.terms} | {values["version"]: Term(**values)}
            return replace(lead, terms=tuple(terms[version] for version in sorted(terms)))
        case "contacted":
            first = dict(lead.contacts)
            first[values["version"]] = min(values["time"], first.get(values["version"], values["time"]))
            last = max(lead.contact_time, values["time"])
            return replace(lead, contacts=tuple(sorted(first.items())), contact_time=last)
        case "released":
            releases = {one.version: one for one in lead.releases} | {values["version"]: Release(**values)}
            return replace(lead, releases=tuple(releases[version] for version in sorted(releases)))
        case "touched":
            touches = {name: (version, time) for name, version, time in lead.touches}
            said = (values["version"], values["time"])
            touches[values["follow_up"]] = max(said, touches.get(values["follow_up"], said))
            return replace(lead, touches=tuple((name, *touches[name]) for name in sorted(touches)))
        case "removed":
            return replace(lead, removed=True)
        case "part":
            parts = dict(lead.parts)
            parts[values["part"]] = parts.get(values["part"], 0) + values["count"]
            return replace(lead, parts=tuple(sorted((one, n) for one, n in parts.items() if n)))
    raise ValueError(news.what)


def _heard(lead: Lead, said: Said) -> Lead:
    if lead.said is None or said.version > lead.said.version:
        return replace(lead, said=said)
    first = not said.version and not lead.said.version and said.event < lead.said.event
    return replace(lead, said=said) if first else lead


def status(lead: Lead) -> tuple[int, int, str]:
    """Its status, since when, and why."""
    version, time, stands, reason = lead.standing
    owned = any(term.version == lead.waiting[0] for term in lead.terms)  # he keeps it until somebody else may have it
    if lead.waiting > (version, time) and not owned:
        version, time = lead.waiting
        stands, reason = WAITING, ""
    if stands == WAITING and lead.unassigned == version:
        return UNASSIGNED, time, ""
    return stands, time, reason


def owner(lead: Lead) -> str:
    """Whose it is now."""
    version = max(lead.standing[0], lead.waiting[0])
    return next((term.owner for term in lead.terms if term.version == version), "")


def holder(lead: Lead) -> str:
    """Whose it is now, and of a deleted one whose it was: its deletion is a change of owner, too."""
    version, _, stands, _ = lead.standing
    if stands == DELETED:
        return next((term.owner for term in lead.terms if term.version == version - 1), "")
    return owner(lead)


def answer_time(lead: Lead) -> int:
    """When somebody answered first; 0: not yet."""
    return min((time for _, time in lead.contacts), default=0)


def band(seconds: int) -> str:
    """The first of BANDS that is long enough."""
    return next((name for name, most in _BANDS if seconds * 1_000_000 <= most), "later")


def postings(lead: Lead) -> list[Posting]:
    """What it adds now; nothing while its capture is not known, and nothing once it is deleted or gone for good."""
    stands, since, reason = status(lead)
    said = lead.said
    if said is None or lead.removed or stands == DELETED:
        return []
    mine = owner(lead)
    bare = Posting(
        "",
        said.capture_time,
        holder=mine,
        owner=mine,
        channel=said.channel,
        region=said.region,
        industry=said.industry,
    )
    found = [with_values(bare, 0, "lead.captured"), *incomplete(bare, "lead", said.blank)]
    answered = answer_time(lead)
    if answered:
        took = _seconds(said.capture_time, answered)
        found.append(replace(bare, fact="lead.answered", seconds=took, detail=band(took)))
    found += _business(lead, bare)
    if stands == QUALIFIED:
        found.append(replace(bare, fact="lead.qualified"))
    elif stands == DISQUALIFIED:
        found.append(replace(bare, fact="lead.disqualified", reason=reason))
    elif stands == POOLED:
        found.append(replace(bare, fact="lead.pooled", happen_time=since, reason=reason))
    elif stands in _OPEN:
        touched = max(said.capture_time, lead.contact_time, *(time for *_, time in lead.touches))
        found.append(with_values(with_values(bare, 0, "lead.open", touched), _DETAIL, _OPEN[stands]))
    return found + _deeds(lead, replace(bare, lead_holder=mine))


def _business(lead: Lead, bare: Posting) -> list[Posting]:
    """That it became opportunities, and that one of them was won: each once, however many did."""
    deals = [part[1:] for part, count in lead.parts if count > 0]
    found = []
    for fact, those in (
        ("lead.converted", {name: whose for name, whose, _ in deals}),
        ("lead.won", {name: whose for name, whose, won in deals if won}),
    ):
        if those:
            one = replace(bare, fact=fact)
            others = {name: whose for name, whose in those.items() if whose != bare.holder}
            found += made_of(one, one if len(others) < len(those) else None, others)
    return found


def _deeds(lead: Lead, bare: Posting) -> list[Posting]:
    """What people did with it, each for him who did: of each ownership but those that it began again with when its
    deletion was taken back, and of each end of one."""
    first = dict(lead.contacts)
    found = [
        replace(bare, fact="lead.released", happen_time=one.time, holder=one.owner, owner=one.owner, reason=one.reason)
        for one in lead.releases
    ]
    for place, term in enumerate(term for term in lead.terms if term.how != UNDELETED):
        here = with_values(with_values(bare, 1, term.begin), _HOLDER, term.owner, term.owner)
        waited = _seconds(bare.happen_time, term.begin) if place == 0 else 0
        found.append(replace(here, fact="lead.assigned", detail=term.how, seconds=waited))
        if term.version in first:
            took = _seconds(term.begin, first[term.version])
            found.append(replace(here, fact="lead.acknowledged", seconds=took, detail=band(took)))
    return found


def _seconds(begin: int, end: int) -> int:
    return max(0, end - begin) // 1_000_000


def tells(lead: Lead) -> Mapping[str, Any]:
    """What opportunities want to know of it: when business with it began, and whose it is: who may see that."""
    said = lead.said
    if said is None:
        return {"first_contact_time": 0, "capture_time": 0, "channel": "", "holder": ""}
    first = answer_time(lead) or said.capture_time
    told = {"first_contact_time": first, "capture_time": said.capture_time, "channel": said.channel}
    return {**told, "holder": holder(lead)}


def _plain(lead: Lead) -> list[Any]:
    plain: list[Any] = plainly(lead)
    return plain


def _said(plain: Sequence[Any]) -> Said:
    return replace(Said(*plain), blank=tuple(plain[-1]))


def _read(plain: Sequence[Any]) -> Lead:
    values: Mapping[str, Any] = dict(zip((part.name for part in fields(Lead)), plain, strict=True))
    return Lead(
        **{
            **values,
            "said": _said(values["said"]) if values["said"] else None,
            "terms": tuple(Term(*term) for term in values["terms"]),
            "contacts": tuple((version, time) for version, time in values["contacts"]),
            "releases": tuple(Release(*one) for one in values["releases"]),
            "standing": tuple(values["standing"]),
            "waiting": tuple(values["waiting"]),
            "touches": tuple((name, version, time) for name, version, time in values["touches"]),
            "parts": tuple((tuple(part), count) for part, count in values["parts"]),
        }
    )


FOLDING = Folding(Lead(), fold, postings, _plain, _read, tells=tells, holder=holder)
