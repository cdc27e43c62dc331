"""Boards, kept: the company's, those of roles, and everybody's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chassis.access import Scope, refuse_read_only
from chassis.errors import Denied, Invalid, NotFound, Refused, Stale, already_exists, not_deleted
from chassis.fields import FieldCheck
from chassis.transaction import Transaction
from reports.domain import board as domain
from reports.domain import checking
from reports.domain.board import Board, Tile
from reports.domain.kpi import Kpi
from reports.storage import definitions
from reports.usecases import kpis, ready, showing
from reports.wire import asking

MOST, MOST_OWN = 1000, 50


def find(tx: Transaction, name: str, deleted: bool = False) -> Board:
    """Raises NotFound, for one that is not the caller's to look at as well."""
    found = (definitions.board(tx, name) if _fits(name) else None) or showing.SHIPPED.get(name)
    if found is None or (found.delete_time is not None and not deleted) or not _seen(tx, found):
        raise NotFound(name[:80])
    return found


def is_one(tx: Transaction, name: str) -> bool:
    """Whether that is a board, whosever it is."""
    return name in showing.SHIPPED or (_fits(name) and definitions.board(tx, name) is not None)


def every(tx: Transaction, deleted: bool = False) -> list[Board]:
    """Those that the caller may look at, by name."""
    return [one for one in showing.every(tx, deleted) if _seen(tx, one)]


def create(tx: Transaction, of: Board, today: date) -> Board:
    """Whoever may not write all boards makes his own. Raises ALREADY_EXISTS, Invalid, Denied, TOO_MANY_BOARDS."""
    kpis.refuse_taken(tx, of.name, "board_id")
    if tx.principal.require("boards", "write") is not Scope.ALL:
        of = replace(of, owner=of.owner or tx.principal.person)
    made = replace(of, revision=1, create_time=tx.now, update_time=tx.now)
    refuse_others(tx, made, "write")
    check(tx, made, today)
    stored = [one for one in definitions.every_board(tx).values() if one.delete_time is None]
    own = sum(1 for one in stored if made.owner and one.owner == made.owner)
    if len(stored) >= MOST or own >= MOST_OWN:
        raise Refused(
            "TOO_MANY_BOARDS",
            f"At most {MOST} boards, {MOST_OWN} of one's own.",
            f"看板最多 {MOST} 个，每人最多 {MOST_OWN} 个。",
        )
    if not definitions.keep_board(tx, made):
        raise already_exists("board_id", of.name)
    ready.keep_board(tx, made)
    tx.audit("board.created", made.name)
    return made


def update(tx: Transaction, name: str, etag: str, values: Mapping[str, Any], today: date) -> Board:
    """Raises Stale for an old etag, Denied for one of somebody else, Invalid naming each field."""
    refuse_read_only(tx.principal, "boards", list(values))
    before = _held(tx, name, etag, "write")
    after = replace(before, **values)
    refuse_others(tx, after, "write")
    check(tx, after, today)
    return save(tx, before, after)


def save(tx: Transaction, before: Board, after: Board, action: str = "changed") -> Board:
    """The next revision; nothing where nothing changed."""
    if after == before:
        return before
    after = replace(after, revision=before.revision + 1, create_time=before.create_time or tx.now, update_time=tx.now)
    if not definitions.keep_board(tx, after):
        raise Stale(before.name)
    ready.keep_board(tx, after)
    tx.audit(f"board.{action}", after.name)
    return after


def delete(tx: Transaction, name: str, etag: str) -> Board:
    """For 30 days it can be brought back. Raises Stale, Denied."""
    before = _held(tx, name, etag, "delete")
    return save(tx, before, replace(before, delete_time=tx.now), "deleted")


def undelete(tx: Transaction, name: str, today: date) -> Board:
    """Raises NotFound after 30 days, NOT_DELETED for one that is there, Denied, Invalid where a KPI is gone."""
    before = _held(tx, name, "", "delete", deleted=True)
    if before.delete_time is None:
        raise not_deleted(name)
    check(tx, before, today)
    return save(tx, before, replace(before, delete_time=None), "undeleted")


def put(tx: Transaction, before: Board | None, after: Board) -> None:
    """Writes one that was checked; `before` is the one that is there, deleted or not. Raises Stale."""
    if before is not None:
        save(tx, before, after, "deleted" if after.delete_time else "changed")
        return
    made = replace(after, revision=1, create_time=tx.now, update_time=tx.now)
    if not definitions.keep_board(tx, made):
        raise Stale("blueprint")
    ready.keep_board(tx, made)
    tx.audit("board.created", made.name)


def check(tx: Transaction, of: Board, today: date) -> None:
    """Raises Invalid naming each field."""
    found = FieldCheck()
    note(of, found, today, {one.name: one for one in kpis.every(tx)})
    if found.violations:
        raise Invalid(found.violations)


def note(of: Board, check: FieldCheck, today: date, known: Mapping[str, Kpi]) -> None:
    """Notes whatever is wrong; `known` are the KPIs that it may show."""
    checking.check_board(of, check)
    asking.period(of.period, today, check, "board.period")
    for place, tile in enumerate(of.tiles):
        _check_tile(tile, f"board.tiles[{place}]", known, today, check)


def refuse_others(tx: Transaction, of: Board, verb: str) -> None:
    """Raises Denied for a board that is not the caller's own, unless he may write all."""
    own = bool(of.owner) and of.owner == tx.principal.person and not of.roles
    if tx.principal.require("boards", verb) is not Scope.ALL and not own:
        raise Denied(f"boards.{verb}")


def _check_tile(tile: Tile, path: str, there: Mapping[str, Kpi], today: date, check: FieldCheck) -> None:
    if tile.period:
        asking.period(tile.period, today, check, f"{path}.period")
    further = [("overlay_kpi", tile.overlay_kpi)] if tile.overlay_kpi else []
    further += [(f"more_kpis[{place}]", name) for place, name in enumerate(tile.more_kpis)]
    for field, name in [("kpi", tile.kpi), *further]:
        if name in there:
            asking.fit(f"{path}.group_by", tile.group_by, there[name], check)
        else:
            check.refuse(
                f"{path}.{field}", f"{name[:80]!r} is none; GET /v1/kpis lists them", "没有该指标，见 GET /v1/kpis"
            )
    asking.refuse_groups(f"{path}.group_by", tile.group_by, check)
    where = asking.where(tile.filter, check, f"{path}.filter")
    if tile.kpi in there:
        asking.fit_filter(f"{path}.filter", where, there[tile.kpi], check)


def _held(tx: Transaction, name: str, etag: str, verb: str, deleted: bool = False) -> Board:
    found = find(tx, name, deleted)
    refuse_others(tx, found, verb)
    if etag and etag != str(found.revision):
        raise Stale(name)
    return found


def _seen(tx: Transaction, of: Board) -> bool:
    everything = tx.principal.require("boards", "read") is Scope.ALL
    return domain.seen(of, tx.principal.person, tx.principal.role, everything)


def _fits(name: str) -> bool:
    return checking.id_fits(name.partition("/")[2])
