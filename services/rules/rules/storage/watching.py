"""What automations watch, what of them ran out, and how far daily looks are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import in_values, insert_rows, to_micros
from chassis.transaction import Transaction
from rules.domain.state import moment_of
from rules.domain.watching import FollowUp, Watched
from rules.storage.automation_tables import fired_automations, scans, watched

_c = watched.c
_EVERY = tuple(column.name for column in watched.columns)
_REPLACE = '("name") DO UPDATE SET ' + ", ".join(f'"{c}" = excluded."{c}"' for c in _EVERY if c != "name")


@dataclass(frozen=True, slots=True)
class Counted:
    """What is watched, with what is derived from it under the rules numbered `counted`."""

    watched: Watched
    silent_since: datetime | None
    next_due: datetime | None
    counted: int


def hold(tx: Transaction, names: Iterable[str]) -> dict[str, Watched]:
    """What is known of these, held until the transaction ends; blank for what is new."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    blank = [_row(Counted(Watched(name), None, None, 0)) for name in wanted]
    insert_rows(tx.connection, watched, _EVERY, blank, conflict="DO NOTHING")
    query = sa.select(watched).where(in_values(_c.name, wanted, tx.dialect)).order_by(_c.name).with_for_update()
    return {row.name: _watched(row) for row in tx.execute(query)}


def save(tx: Transaction, rows: Iterable[Counted]) -> None:
    """Writes them whole; the caller holds them."""
    listed = [_row(row) for row in sorted(rows, key=lambda row: row.watched.name)]
    insert_rows(tx.connection, watched, _EVERY, listed, conflict=_REPLACE)


def find(tx: Transaction, names: Sequence[str]) -> dict[str, Watched]:
    if not names:
        return {}
    query = sa.select(watched).where(in_values(_c.name, sorted(set(names)), tx.dialect))
    return {row.name: _watched(row) for row in tx.execute(query)}


def claim_due(tx: Transaction, limit: int) -> list[Watched]:
    """Those with a clock that has run out, held: another process never gets the same."""
    query = sa.select(watched).where(_c.next_due <= tx.now).order_by(_c.next_due).limit(limit)
    return [_watched(row) for row in tx.execute(query.with_for_update(skip_locked=True))]


def claim_outdated(tx: Transaction, counted: int, limit: int) -> list[Watched]:
    """Those that were counted under older rules, held."""
    query = sa.select(watched).where(_c.counted < counted).order_by(_c.counted).limit(limit)
    return [_watched(row) for row in tx.execute(query.with_for_update(skip_locked=True))]


def silent(tx: Transaction, until: datetime, after: tuple[datetime | None, str], limit: int) -> list[Counted]:
    """Opportunities that lie since `until` or longer, the longest first; `after`: where the page before ended."""
    query = sa.select(watched).where(_c.silent_since <= until)
    since, name = after
    if since is not None:
        query = query.where(sa.or_(_c.silent_since > since, sa.and_(_c.silent_since == since, _c.name > name)))
        query = query.where(_c.silent_since >= since)  # the same, as an index knows it
    query = query.order_by(_c.silent_since, _c.name).limit(limit)
    return [Counted(_watched(row), row.silent_since, row.next_due, row.counted) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True)
class Fired:
    """A clock of an automation that ran out, and whose it was."""

    subject: str
    automation: str
    due: datetime
    owner: str
    fired: datetime


def keep_automations_fired(tx: Transaction, fired: Sequence[Fired]) -> None:
    columns = ("subject", "automation", "due", "owner", "fired")
    insert_rows(tx.connection, fired_automations, columns, [astuple(one) for one in fired], conflict="DO NOTHING")


def automations_fired_of(tx: Transaction, subject: str) -> list[Fired]:
    """In the order in which they were due."""
    c = fired_automations.c
    query = sa.select(c.subject, c.automation, c.due, c.owner, c.fired).where(c.subject == subject)
    return [Fired(*row) for row in tx.execute(query.order_by(c.due, c.automation))]


@dataclass(frozen=True, slots=True)
class Scan:
    """The last day ("2026-01-31") on which a daily automation looked, and how far: after (`since`, `name`)."""

    automation: str
    day: str
    done: bool
    since: datetime | None = None
    name: str = ""


_SCAN = ("automation", "day", "done", "since", "name")
_SCAN_REPLACE = (
    '("automation") DO UPDATE SET "day" = excluded."day", "done" = excluded."done", '
    '"since" = excluded."since", "name" = excluded."name"'
)


def scans_known(tx: Transaction) -> dict[str, Scan]:
    return {row[0]: Scan(*row) for row in tx.execute(sa.select(*(scans.c[name] for name in _SCAN)))}


def claim_scan(tx: Transaction, automation: str) -> Scan | None:
    """The scan, held; None while another process has it."""
    query = sa.select(*(scans.c[name] for name in _SCAN)).where(scans.c.automation == automation)
    row = tx.execute(query.with_for_update(skip_locked=True)).first()
    return Scan(*row) if row is not None else None


def save_scan(tx: Transaction, scan: Scan, new: bool = False) -> None:
    insert_rows(tx.connection, scans, _SCAN, [astuple(scan)], conflict="DO NOTHING" if new else _SCAN_REPLACE)


def _row(of: Counted) -> tuple[Any, ...]:
    w = of.watched
    follow_up: dict[str, Any] = {}
    if w.follow_up is not None:
        f = w.follow_up
        due = to_micros(f.due) if f.due is not None else None
        follow_up = {"name": f.name, "version": f.version, "at": to_micros(f.at), "due": due, "facts": dict(f.facts)}
    turns = [[to_micros(at), held] for at, held in w.turns]
    fired = {id: [to_micros(base), count] for id, (base, count) in w.fired.items()}
    return (
        *(w.name, w.version, w.owner, dict(w.facts), w.runs, w.opened, w.staged, w.touched),
        *(turns, follow_up, fired, of.silent_since, of.next_due, of.counted),
    )


def _watched(row: Any) -> Watched:
    f = row.follow_up
    due = moment_of(f["due"]) if f and f["due"] is not None else None
    return Watched(
        row.name,
        row.version,
        row.owner,
        row.facts,
        row.runs,
        row.opened,
        row.staged,
        row.touched,
        tuple((moment_of(at), held) for at, held in row.turns),
        FollowUp(f["name"], f["version"], moment_of(f["at"]), due, f["facts"]) if f else None,
        {id: (moment_of(base), count) for id, (base, count) in row.fired.items()},
    )
