"""Imports as people see them: begun, looked at, corrected, committed, cancelled, undone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chassis import access, records
from chassis.columns import Column
from chassis.errors import Invalid, Refused
from chassis.transaction import Transaction
from dealwright.leads.v1 import imports_pb2
from leads.domain import headers
from leads.domain.imports import RESOURCES, TAKEN_IN, ImportKind, Job, State
from leads.storage import imports as stored
from leads.storage.tables import imports, people
from leads.wire import imports as wire
from leads.wire.sheets.limits import MOST_BYTES

# How long an import can be undone and its rows be read.
KEPT = timedelta(days=30)
_PART = 1024 * 1024
_ENUMS = imports_pb2.Import.DESCRIPTOR.enum_types_by_name
_c = imports.c
KIND: records.Kind[Job] = records.Kind(
    resource="imports",
    word="import",
    table=imports,
    type=Job,
    people=people,
    shown=wire.job,
    spelt={"total": "total_rows", "done": "done_rows", "problem": "error"},
    columns={
        "kind": Column(_c.kind, "enum", _ENUMS["Kind"]),
        "state": Column(_c.state, "enum", _ENUMS["State"]),
        "owner": Column(_c.owner, "name"),
        "file_name": Column(_c.file_name, "text"),
        "create_time": Column(_c.create_time, "time", order=True),
        "end_time": Column(_c.end_time, "time", order=True),
    },
)


def too_large() -> Refused:
    limit = MOST_BYTES // (1024 * 1024)
    return Refused(
        "TOO_LARGE",
        f"The file is larger than {limit} MB: import it in parts.",
        f"文件超过 {limit} MB，请拆分后导入。",
        code="RESOURCE_EXHAUSTED",
    )


def create(tx: Transaction, values: Mapping[str, Any], content: bytes, more: bool) -> Job:
    """Begins an import with the caller's rights. Answers the earlier one where this very file was brought before.
    Raises Denied, TOO_LARGE."""
    caller = tx.principal
    kind = ImportKind(values["kind"])
    caller.require(RESOURCES[kind], "write")
    if len(content) > MOST_BYTES:
        raise too_large()
    job = Job(
        name=KIND.new_name(),
        owner=caller.person,
        team=caller.team,
        caller=access.claims(caller),
        kind=kind,
        state=State.UPLOADING,
        file_name=values["file_name"],
        size=len(content),
        digest="",
        fingerprint="",
        format="",
        encoding="",
        delimiter="",
        columns=[],
        mapping=values["mapping"],
        on_conflict=values["on_conflict"],
        choices={},
        historical=values["historical"],
        validate_only=values["validate_only"],
        total=0,
        done=0,
        block=0,
        counts={},
        kept=[],
        problem=None,
        lease=None,
        create_time=tx.now,
        update_time=tx.now,
        start_time=None,
        end_time=None,
        delete_time=None,
        version=1,
    )
    if more:
        _add_parts(tx, job.name, 0, content)
        return records.create(tx, KIND, job, {"kind": kind.name})
    job = _whole(job, hashlib.sha256(content).hexdigest())
    if (first := _first(tx, job)) is not None:
        return first
    _add_parts(tx, job.name, 0, content)
    return records.create(tx, KIND, job, {"kind": kind.name, "bytes": job.size})


def _add_parts(tx: Transaction, job: str, first: int, content: bytes) -> None:
    """In pieces: a statement holds what it is given twice more."""
    for number, start in enumerate(range(0, len(content), _PART), first):
        stored.add_part(tx, job, number, content[start : start + _PART])


def append(tx: Transaction, name: str, offset: int, content: bytes, more: bool) -> Job:
    """The next part of a file; a part that came already changes nothing."""
    job = records.hold(tx, KIND, name)
    if job.state != State.UPLOADING:
        raise Refused("NOT_UPLOADING", "The file of this import is whole.", "该导入的文件已上传完成。")
    if offset != job.size:
        if 0 <= offset < job.size and more:
            return job
        raise Refused(
            "OUT_OF_ORDER", f"The next part begins at byte {job.size}.", f"下一部分应从第 {job.size} 字节开始。"
        )
    if job.size + len(content) > MOST_BYTES:
        raise too_large()
    _add_parts(tx, name, stored.count_parts(tx, name), content)
    grown = replace(job, size=job.size + len(content))
    if more:
        return records.save(tx, KIND, job, grown, "appended")
    digest = hashlib.sha256()
    for part in stored.parts(tx, name):
        digest.update(part)
    grown = _whole(grown, digest.hexdigest())
    if (first := _first(tx, grown)) is not None:
        stored.drop_all(tx, [name])
        problem = {"reason": "ALREADY_IMPORTED", "en": f"See {first.name}.", "zh": f"见 {first.name}。"}
        gone = replace(grown, state=State.CANCELLED, fingerprint="", end_time=tx.now, problem=problem)
        records.save(tx, KIND, job, gone, "repeated")
        return first
    return records.save(tx, KIND, job, grown, "uploaded")


def _whole(job: Job, digest: str) -> Job:
    job = replace(job, digest=digest, state=State.READING)
    return job if job.validate_only else replace(job, fingerprint=_fingerprint(job))


def _fingerprint(job: Job) -> str:
    way = [job.digest, job.kind, job.owner, sorted(job.mapping.items()), job.on_conflict, job.historical]
    return hashlib.sha256(json.dumps([*way, sorted(job.choices.items())], ensure_ascii=False).encode()).hexdigest()


def _first(tx: Transaction, job: Job) -> Job | None:
    """The import that brought the same in the same way; None where this is it."""
    if not job.fingerprint:
        return None
    name = stored.once(tx, job.fingerprint, job.name)
    return None if name == job.name else records.of_names(tx, KIND, [name])[name]


def update(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Job:
    """Another mapping, another choice: the rows are looked at anew. Raises NOT_PREVIEWED."""
    job = _hold_previewed(tx, name, etag)
    after = replace(job, **values)
    if after == job:
        return job
    if "mapping" in values:
        after = replace(after, columns=mapped(after, [column["header"] for column in job.columns]))
    return records.save(
        tx, KIND, job, replace(after, state=State.PREVIEWING, block=0, done=0, counts={}, lease=None), "changed"
    )


def mapped(job: Job, names: Sequence[str], samples: Sequence[Sequence[str]] = ()) -> list[dict[str, Any]]:
    """What the columns of these headers stand for. Raises Invalid for a choice that is none."""
    kind = ImportKind(job.kind)
    wrong = [
        (f"mapping.{header[:64]}", "is no field of such a record", "不是该类记录的字段")
        for header, field in job.mapping.items()
        if not headers.takes(kind, field)
    ]
    chosen = [field for field in job.mapping.values() if field]
    twice = {field for field in chosen if chosen.count(field) > 1}
    wrong += [(f"mapping.{field}", "is chosen twice", "被重复选择") for field in sorted(twice)]
    if wrong:
        raise Invalid(wrong)
    known = {column["header"]: column["samples"] for column in job.columns}
    fields = headers.guess(kind, names, job.mapping)
    return [
        {
            "header": header,
            "field": field,
            "samples": [row[index][:100] for row in samples if index < len(row)] or known.get(header, []),
        }
        for index, (header, field) in enumerate(zip(names, fields, strict=True))
    ]


def _hold_previewed(tx: Transaction, name: str, etag: str) -> Job:
    job = records.hold(tx, KIND, name, etag)
    if job.state != State.PREVIEWED:
        raise Refused(
            "NOT_PREVIEWED",
            f"The import is {State(job.state).name}; only one that waits for its commit can be changed.",
            "只有预览完成、等待确认的导入才能修改或确认。",
        )
    return job


def commit(tx: Transaction, name: str, etag: str) -> Job:
    """Takes the rows in; one that is under way or done stays as it is. Raises NOT_PREVIEWED, ALREADY_IMPORTED."""
    job = records.hold(tx, KIND, name)
    if job.state in (State.RUNNING, State.SUCCEEDED):
        return job
    records.refuse_stale(tx, KIND, job, etag)
    job = _hold_previewed(tx, name, etag)
    after = replace(job, validate_only=False)
    after = replace(after, fingerprint=_fingerprint(after))
    if (first := _first(tx, after)) is not None:
        raise Refused(
            "ALREADY_IMPORTED",
            f"{first.name} has imported this file in the same way.",
            f"{first.name} 已以相同方式导入该文件。",
            code="ALREADY_EXISTS",
        )
    return records.save(
        tx,
        KIND,
        job,
        replace(after, state=State.RUNNING, block=0, done=0, counts={}, start_time=tx.now, lease=None),
        "committed",
    )


def cancel(tx: Transaction, name: str, etag: str) -> Job:
    """Raises ENDED for one of which nothing more happens, or that is being undone."""
    job = records.hold(tx, KIND, name, etag)
    if job.state == State.CANCELLED:
        return job
    if (job.finished and job.state != State.PREVIEWED) or job.state == State.UNDOING:
        raise Refused("ENDED", "The import has ended.", "该导入已结束。")
    ended = replace(job, state=State.CANCELLED, end_time=tx.now, lease=None)
    if job.state != State.RUNNING and job.fingerprint:  # nothing was taken in: the file may come again
        stored.forget_once(tx, job.fingerprint)
        ended = replace(ended, fingerprint="")
    return records.save(tx, KIND, job, ended, "cancelled")


def undo(tx: Transaction, name: str, etag: str) -> Job:
    """Takes back what was taken in, from the last row to the first; of one that was undone what stayed, for what stood
    in its way may be gone. Raises NOT_IMPORTED, EXPIRED."""
    job = records.hold(tx, KIND, name)
    if job.state == State.UNDOING or (job.state == State.UNDONE and not job.counts.get("kept")):
        return job
    records.refuse_stale(tx, KIND, job, etag)
    after = replace(job, state=State.UNDOING, kept=[], lease=None)
    if job.state == State.UNDONE:
        after = replace(after, block=stored.count_blocks(tx, name), counts={**job.counts, "kept": 0})
    elif job.state not in TAKEN_IN or not job.start_time:
        raise Refused("NOT_IMPORTED", "Nothing of this file was taken in.", "该文件尚未导入任何数据。")
    expired(tx, job)
    return records.save(tx, KIND, job, after, "undoing")


def expired(tx: Transaction, job: Job) -> None:
    """Raises EXPIRED where its rows are kept no more."""
    if job.update_time < tx.now - KEPT and not job.under_way:
        raise Refused(
            "EXPIRED", "The rows of an import are kept for 30 days.", "导入的明细只保留 30 天，现已无法操作。"
        )


def forget_old(tx: Transaction) -> bool:
    """Ends what of imports is kept for 30 days: rows, and files of which the rest never came."""
    names = stored.old(tx, tx.now - KEPT, 20)
    stored.drop_all(tx, names)
    for name in names:
        tx.audit("import.forgotten", name)
    return len(names) >= 20
