"""What was changed of a record since somebody read it, so that a stale etag is answered with it and never by a lost
update.

The audit row of every change says which version it made and which fields it wrote (`told`). A version that no row
tells of, as those before this was kept, may have changed anything: then every field is answered as it is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from google.protobuf import json_format

from chassis.access import hidden, mask
from chassis.errors import Changed, Stale
from chassis.kinds import json_text
from chassis.transaction import Transaction

# An error travels in the trailers of an answer, which have room for few thousand bytes; and keys of the company's own
# fields are told one by one while they are few.
_LONGEST, _MOST_BYTES, _MOST_KEYS = 500, 3000, 10
_OWN = "custom"
# Rows of one record that are looked through.
_MOST_ROWS = 500


def told(before: Any, after: Any, names: Iterable[str]) -> dict[str, Any]:
    """What an audit row says of a change: the version that it made, and which of these fields it wrote."""
    fields: list[str] = []
    for name in names:
        was, now = getattr(before, name), getattr(after, name)
        if was != now and name not in ("version", "update_time"):
            fields += _keys(was or {}, now or {}) if name == _OWN else [name]
    return {"version": after.version, "fields": fields}


def stale(
    tx: Transaction, etag: str, now: Any, spelt: Mapping[str, str] | None = None, only: Sequence[str] = ()
) -> Stale:
    """The answer to a caller who read a record at `etag`. `now` is the record as an answer has it; `spelt` are columns
    whose field is called otherwise there; `only` are the fields that it is about, where it is not about all."""
    version = int(now.etag)
    since = int(etag) if etag.isdecimal() and len(etag) < 20 else 0
    last, whole = _last(tx, now.name, since, version, spelt or {})
    secret = hidden(tx.principal, now)
    mask(tx.principal, now)
    if only:
        last = {field: last.get(field, Changed(field)) for field in only}
    elif not whole:
        there = [field.name for field, _ in now.ListFields()]
        last = {**{field: Changed(field) for field in there if field not in ("name", "etag")}, **last}
    plain = json_format.MessageToDict(now, always_print_fields_with_no_presence=True)
    fields = {field.name: field.json_name for field in now.DESCRIPTOR.fields if field.name not in secret}
    changes, room = [], _MOST_BYTES
    for path, change in sorted(last.items()):
        field, _, key = path.partition(".")
        if field not in fields:
            continue
        value = plain.get(fields[field])
        value = (value or {}).get(key) if key else value
        size = len(json_text(value).encode())
        too_long = size > min(_LONGEST, room)
        room -= 0 if too_long else size
        changes.append(replace(change, value=None if too_long else value, too_long=too_long))
    return Stale(now.name, now.etag, changes)


def _last(
    tx: Transaction, name: str, since: int, version: int, spelt: Mapping[str, str]
) -> tuple[dict[str, Changed], bool]:
    """By field the last change after the version `since`, and whether every version since is told of."""
    log = tx.tables.audit_log
    newest = sa.select(log.c.detail, log.c.actor, log.c.time).where(log.c.subject == name)
    last: dict[str, Changed] = {}
    made: set[int] = set()
    for detail, actor, time in tx.execute(newest.order_by(log.c.id.desc()).limit(_MOST_ROWS)):
        if detail and since < detail.get("version", 0) <= version:
            made.add(detail["version"])
            for path in detail["fields"]:
                path = spelt.get(path, path)
                last.setdefault(path, Changed(path, actor=actor, time=time))
    own = [change for path, change in last.items() if path.partition(".")[0] == _OWN]
    if len(own) > _MOST_KEYS or _OWN in last:
        last = {path: change for path, change in last.items() if change not in own}
        last[_OWN] = replace(max(own, key=lambda change: change.time or tx.now), field=_OWN)
    return last, 0 < since < version and len(made) == version - since


def _keys(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    changed = [key for key in {**was, **now} if was.get(key) != now.get(key)]
    return [f"{_OWN}.{key}" for key in changed] if len(changed) <= _MOST_KEYS else [_OWN]
