"""Whether copied sets of records are what the API would have made: every row and event of random ones, field by field,
beside those of further sets that the API made."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from google.protobuf import json_format
from psycopg.rows import dict_row

from dealwright.bus.v1.envelope_pb2 import EventBatch
from loadtests.copies import ID, MOMENT, Copies, Original, opened
from loadtests.originals import Values

Shape = Counter[str]


def compare(copies: Copies, made: Sequence[Original], sample: int) -> tuple[list[str], int]:
    """Lays random copies beside sets that the API `made`. Returns the differences found, and how many were compared."""
    theirs = [_shape(_rows(one), one.texts, one.born) for one in made]
    told = {_said(shape) for shape in theirs}
    chosen = random.sample(copies.made, min(sample, len(copies.made)))
    differences = []
    for place, by, words in chosen:
        original = copies.originals[place]
        texts = words[len(original.made) + 1 :]
        shape = _shape(_stored(copies, original, words), texts, original.born - by.total_seconds())
        if _said(shape) not in told:
            differences.append(
                f"{texts[0]}: only loaded {sorted((shape - theirs[0]).elements())}, "
                f"only made {sorted((theirs[0] - shape).elements())}"
            )
    return differences, len(chosen)


def _said(shape: Shape) -> str:
    return "\n".join(f"{count} x {line}" for line, count in sorted(shape.items()))


def _rows(original: Original) -> Iterator[tuple[str, str, Values]]:
    for (service, table), rows in original.rows.items():
        for row in rows:
            yield service, table, row


def _stored(copies: Copies, original: Original, words: Sequence[str]) -> Iterator[tuple[str, str, Values]]:
    """What the tables hold of a copy: each row that names one of its ids in a column in which the original's do."""
    place_of = {one: place for place, one in enumerate(original.made)}
    for (service, table), rows in original.rows.items():
        named: dict[str, set[str]] = {}
        for row in rows:
            for column, value in row.items():
                prefix, _, last = value.rpartition("/") if isinstance(value, str) else ("", "", "")
                if last in place_of:
                    new = words[place_of[last]]
                    named.setdefault(column, set()).add(f"{prefix}/{new}" if prefix else new)
        found: dict[str, Values] = {}
        with psycopg.connect(copies.databases[service], autocommit=True, row_factory=dict_row) as on:
            for column, values in named.items():
                for row in on.execute(f'select * from "{table}" where "{column}" = any(%s)', (sorted(values),)):
                    found[repr(row)] = row
        for row in found.values():
            yield service, table, row


def _shape(rows: Iterator[tuple[str, str, Values]], texts: Sequence[str], born: float) -> Shape:
    """Rows and events as lines in which nothing is left that is one set's alone."""
    shape: Shape = Counter()
    for service, table, row in rows:
        values = dict(row)
        if table == "outbox":
            # How many events share a message is decided by the moment.
            for envelope in EventBatch.FromString(bytes(values.pop("body"))).events:
                event = {**json_format.MessageToDict(envelope), "data": json_format.MessageToDict(opened(envelope))}
                shape[f"{service} event {_plain(event, texts, born)}"] += 1
            values.pop("events")
        shape[f"{service}.{table} {_plain(values, texts, born)}"] += 1
    return shape


def _plain(values: Mapping[str, Any], texts: Sequence[str], born: float) -> str:
    text = json.dumps(_open(values, born), ensure_ascii=False, sort_keys=True)
    for place, own in enumerate(texts):
        text = text.replace(own, f"TEXT {place}")
    text = MOMENT.sub(lambda found: _when(datetime.fromisoformat(found[0]).timestamp(), born), text)
    return ID.sub("ID", text)


def _open(value: Any, born: float) -> Any:
    if isinstance(value, datetime):
        return _when(value.timestamp(), born)
    if isinstance(value, Mapping):
        return {key: _open(one, born) for key, one in value.items() if key != "traceparent"}
    if isinstance(value, list):
        return [_open(one, born) for one in value]
    if isinstance(value, bytes | memoryview):
        return f"{len(bytes(value))} bytes"
    if isinstance(value, int) and abs(value / 1e6 - born) < 86_400:
        return _when(value / 1e6, born)
    return value


def _when(moment: float, born: float) -> str:
    """Soon after the first of the set was made, or so many minutes later."""
    after = moment - born
    return "SOON" if -1 < after < 60 else f"AFTER {after / 60:.0f} MINUTES"
