"""KPIs: those that come with the product, and those that people made or changed, which go before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.access import Scope, refuse_read_only
from chassis.errors import Denied, Invalid, NotFound, Refused, Stale, already_exists, not_deleted
from chassis.fields import FieldCheck
from chassis.records import KEPT_DELETED
from chassis.transaction import Transaction
from reports.domain import alert, checking
from reports.domain.kpi import Kpi
from reports.domain.shipped import BY_NAME
from reports.storage import alerts, definitions
from reports.usecases import ready, showing

MOST = 300
_COUNTS = ("unit", "measures", "formula", "total", "dimensions")
_OURS = ("name", "version", "owner", "revision", "create_time", "update_time")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def find(tx: Transaction, name: str, deleted: bool = False) -> Kpi:
    """Raises NotFound; `deleted`: one that was deleted will do, too."""
    found = (definitions.kpi(tx, name) if _fits(name) else None) or BY_NAME.get(name)
    if found is None or (found.delete_time is not None and not deleted):
        raise NotFound(name[:80])
    return found


def find_as_of(tx: Transaction, name: str, micros: int | None) -> Kpi:
    """As it counted at a moment (microseconds; None: now). One that came later counts as it did at first."""
    now = find(tx, name)
    if micros is None or now.version == 1:
        return now
    then = definitions.kpi_at(tx, name, _EPOCH + timedelta(microseconds=micros))
    return then or BY_NAME.get(name) or now


def every(tx: Transaction, deleted: bool = False) -> list[Kpi]:
    """By name."""
    found = {**BY_NAME, **definitions.every_kpi(tx)}
    return [found[name] for name in sorted(found) if deleted or found[name].delete_time is None]


def create(tx: Transaction, of: Kpi, only_check: bool = False) -> Kpi:
    """Raises ALREADY_EXISTS for an id that is taken, Invalid naming each field, TOO_MANY_KPIS."""
    tx.principal.require("kpis", "write")
    refuse_taken(tx, of.name, "kpi_id")
    made = replace(of, owner=tx.principal.person, version=1, revision=1, create_time=tx.now, update_time=tx.now)
    _check(made)
    if sum(1 for one in definitions.every_kpi(tx).values() if one.delete_time is None) >= MOST:
        raise Refused("TOO_MANY_KPIS", f"At most {MOST} KPIs of your own.", f"自建指标最多 {MOST} 个。")
    if only_check:
        return made
    if not definitions.keep_kpi(tx, made):
        raise already_exists("kpi_id", of.name)
    ready.keep(tx, made)
    tx.audit("kpi.created", made.name)
    return made


def update(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Kpi:
    """Raises Stale for an old etag, Denied for one of somebody else, Invalid naming each field."""
    refuse_read_only(tx.principal, "kpis", list(values))
    return save(tx, _held(tx, name, etag, "write"), values)


def save(tx: Transaction, before: Kpi, values: Mapping[str, Any], action: str = "changed") -> Kpi:
    """The next revision; a new version where other things are counted. Raises IN_USE where alert rules group by what it
    would not have any more."""
    after = replace(before, **values)
    if after == before:
        return before
    counts = any(getattr(before, name) != getattr(after, name) for name in _COUNTS)
    after = replace(
        after,
        version=before.version + (1 if counts else 0),
        revision=before.revision + 1,
        create_time=before.create_time or tx.now,
        update_time=tx.now,
    )
    _check(after)
    _refuse_ungrouped(tx, after)
    if not definitions.keep_kpi(tx, after):
        raise Stale(before.name)
    if after.delete_time is None:
        ready.keep(tx, after)
    tx.audit(f"kpi.{action}", after.name)
    return after


def put(tx: Transaction, before: Kpi | None, after: Kpi) -> None:
    """Writes one that was checked; `before` is the one that is there, deleted or not. Raises Stale."""
    if before is not None:
        values = {field.name: getattr(after, field.name) for field in fields(after) if field.name not in _OURS}
        save(tx, before, values, "deleted" if after.delete_time else "changed")
        return
    made = replace(after, version=1, revision=1, create_time=tx.now, update_time=tx.now)
    if not definitions.keep_kpi(tx, made):
        raise Stale("blueprint")
    ready.keep(tx, made)
    tx.audit("kpi.created", made.name)


def delete(tx: Transaction, name: str, etag: str) -> Kpi:
    """For 30 days it can be brought back. Raises Stale, Denied, IN_USE."""
    before = _held(tx, name, etag, "delete")
    showing.refuse_used(tx, name)
    return save(tx, before, {"delete_time": tx.now}, "deleted")


def undelete(tx: Transaction, name: str) -> Kpi:
    """Raises NotFound after 30 days, NOT_DELETED for one that is there, Denied."""
    before = _held(tx, name, "", "delete", deleted=True)
    if before.delete_time is None:
        raise not_deleted(name)
    return save(tx, before, {"delete_time": None}, "undeleted")


def purge(tx: Transaction) -> bool:
    """Ends KPIs and boards that were deleted 30 days ago for good; there is no more of it then."""
    for name in definitions.end(tx, tx.now - KEPT_DELETED, frozenset((*BY_NAME, *showing.SHIPPED))):
        tx.audit("definition.purged", name)
    return False


def refuse_taken(tx: Transaction, name: str, field: str) -> None:
    """An id is a KPI's or a board's: reports are asked for by it. Raises Invalid, ALREADY_EXISTS."""
    id = name.partition("/")[2]
    if not checking.id_fits(id):
        raise Invalid([(field, "must be 2 to 63 of a-z, 0-9 and -", "须为 2 至 63 个小写字母、数字或连字符")])
    kpi, board = f"kpis/{id}", f"boards/{id}"
    if kpi in BY_NAME or board in showing.SHIPPED:
        raise already_exists(field, id)
    there = definitions.kpi(tx, kpi) or definitions.board(tx, board)
    if there is not None:
        raise already_exists(field, id, deleted=there.delete_time is not None)


def _held(tx: Transaction, name: str, etag: str, verb: str, deleted: bool = False) -> Kpi:
    found = find(tx, name, deleted)
    scope = tx.principal.require("kpis", verb)
    if scope is not Scope.ALL and (not found.owner or found.owner != tx.principal.person):
        raise Denied(f"kpis.{verb}")
    if etag and etag != str(found.revision):
        raise Stale(name)
    return found


def _refuse_ungrouped(tx: Transaction, of: Kpi) -> None:
    """Refuses what would leave alert rules without the groups that they look at."""
    can = set(checking.can_group(of))
    lost = [rule for rule in alerts.of_kpi(tx, of.name) if not alert.groups(rule) <= can]
    if lost and of.delete_time is None:
        told = tx.principal.scope("alertRules", "read") is not Scope.NONE
        titles = [(one.display_name, one.display_name_zh) if told else (one.name, one.name) for one in lost]
        english = ", ".join(title or other for title, other in titles)
        chinese = "、".join(other or title for title, other in titles)
        raise Refused(
            "IN_USE",
            f"Alert rules group it by what it would not have any more: {english}. Change or delete them first.",
            f"以下预警规则的分组维度将不复存在：{chinese}。请先修改或删除这些规则。",
        )


def _check(of: Kpi) -> None:
    check = FieldCheck()
    checking.check_kpi(of, check)
    if check.violations:
        raise Invalid(check.violations)


def _fits(name: str) -> bool:
    return checking.id_fits(name.partition("/")[2])
