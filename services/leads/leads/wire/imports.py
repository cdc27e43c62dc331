"""Imports and their rows: requests checked, answers made."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.leads.v1 import imports_pb2 as pb
from leads.domain.imports import ImportKind, Job, OnConflict, Outcome, Result, Verdict
from leads.wire.times import stamp

LONGEST_REQUEST_ID = 128
_MOST_CHOICES = 10_000
_MOST_MAPPED = 200
_NUMBER = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_FILTER = re.compile(r"\s*(verdict|outcome)\s*=\s*([A-Z_]+)\s*", re.ASCII)
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
MOST_REFUSED_BYTES = 8 * 1024 * 1024
CHANGEABLE = ("mapping", "on_conflict", "choices", "historical")


def kind(value: int) -> int:
    if value not in ImportKind._value2member_map_ or not value:
        raise FieldProblem(
            "must be one of LEADS, CUSTOMERS, CONTACTS, OPPORTUNITIES, FOLLOW_UPS",
            "须为 LEADS、CUSTOMERS、CONTACTS、OPPORTUNITIES、FOLLOW_UPS 之一",
        )
    return value


def _conflict(value: int) -> int:
    if value not in OnConflict._value2member_map_:
        raise FieldProblem("must be one of SKIP, UPDATE, MERGE, TOUCH", "须为 SKIP、UPDATE、MERGE、TOUCH 之一")
    return value


def _mapping(value: Mapping[str, str]) -> dict[str, str]:
    if len(value) > _MOST_MAPPED:
        raise FieldProblem(f"at most {_MOST_MAPPED} columns", f"最多 {_MOST_MAPPED} 列")
    return {fields.text(header, 120): fields.text(field, 120) for header, field in value.items()}


def _choices(value: Mapping[str, int]) -> dict[str, int]:
    if len(value) > _MOST_CHOICES:
        raise FieldProblem(f"at most {_MOST_CHOICES} rows", f"最多 {_MOST_CHOICES} 行")
    if not all(_NUMBER.fullmatch(number) for number in value):
        raise FieldProblem("has a key that is no row's number", "键必须是行号")
    return {number: _conflict(chosen) for number, chosen in sorted(value.items())}


def request_id(request: Any, check: FieldCheck) -> None:
    if request.request_id:
        check.take("request_id", fields.text, request.request_id, LONGEST_REQUEST_ID)


def created(request: pb.CreateImportRequest) -> dict[str, Any]:
    """Raises Invalid with every wrong field."""
    check = FieldCheck()
    request_id(request, check)
    values = {
        "kind": check.take("kind", kind, request.kind) or 0,
        "file_name": check.take("file_name", fields.text, request.file_name, 255),
        "mapping": check.take("mapping", _mapping, request.mapping),
        "on_conflict": check.take("on_conflict", _conflict, request.on_conflict),
        "historical": request.historical,
        "validate_only": request.validate_only,
    }
    if not request.content:
        check.refuse("content", "is required", "必填")
    if check.violations:
        raise Invalid(check.violations)
    return values


def changed(job: pb.Import, paths: Sequence[str]) -> dict[str, Any]:
    """The values of these fields. Raises Invalid."""
    check = FieldCheck()
    values: dict[str, Any] = {}
    for name in paths:
        if name == "mapping":
            values[name] = check.take("job.mapping", _mapping, job.mapping)
        elif name == "on_conflict":
            values[name] = check.take("job.on_conflict", _conflict, job.on_conflict)
        elif name == "choices":
            values[name] = check.take("job.choices", _choices, job.choices)
        else:
            values[name] = job.historical
    if check.violations:
        raise Invalid(check.violations)
    return values


def job(of: Job) -> pb.Import:
    percent = 0
    if of.total:
        done = of.done if of.under_way or of.done < of.total else of.total
        percent = 100 * done // of.total
    return pb.Import(
        name=of.name,
        kind=of.kind,  # type: ignore[arg-type]
        state=of.state,  # type: ignore[arg-type]
        done=of.finished,
        error=_problem(of.problem["reason"], of.problem["en"], of.problem["zh"]) if of.problem else None,
        file_name=of.file_name,
        size=of.size,
        digest=of.digest,
        format=of.format,
        encoding=of.encoding,
        delimiter=of.delimiter,
        columns=[pb.Import.Column(**column) for column in of.columns],
        mapping=of.mapping,
        on_conflict=of.on_conflict,  # type: ignore[arg-type]
        choices=of.choices,  # type: ignore[arg-type]
        historical=of.historical,
        validate_only=of.validate_only,
        total_rows=of.total,
        done_rows=of.done,
        progress_percent=percent,
        counts=pb.Import.Counts(**of.counts),
        kept=of.kept,
        owner=of.owner,
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        start_time=stamp(of.start_time),
        end_time=stamp(of.end_time),
        etag=str(of.version),
    )


def _problem(reason: str, english: str, chinese: str, wrong: Sequence[Sequence[str]] = ()) -> pb.ImportProblem:
    return pb.ImportProblem(
        reason=reason,
        message=english,
        message_zh=chinese,
        fields=[pb.ImportProblem.Field(field=f, message=en, message_zh=zh) for f, en, zh in wrong],
    )


def row(number: int, cells: Sequence[str], of: Result) -> pb.ImportRow:
    return pb.ImportRow(
        number=number,
        cells=cells,
        verdict=of.verdict,  # type: ignore[arg-type]
        outcome=of.outcome,  # type: ignore[arg-type]
        record=of.record,
        differences=[pb.ImportRow.Difference(field=f, ours=a, theirs=b) for f, a, b in of.differences],
        error=_problem(of.problem[0], of.problem[1], of.problem[2], of.fields) if of.problem else None,
    )


def row_filter(text: str) -> tuple[str, int]:
    """("verdict", its number), ("outcome", its number), ("", 0) for all. Raises Invalid."""
    if not text.strip():
        return "", 0
    found = _FILTER.fullmatch(text)
    known: Mapping[str, type[Verdict] | type[Outcome]] = {"verdict": Verdict, "outcome": Outcome}
    if found is None or found[2] not in known[found[1]].__members__:
        raise Invalid(
            [("filter", "must be such as verdict = ERROR or outcome = KEPT", "应如 verdict = ERROR 或 outcome = KEPT")]
        )
    return found[1], int(known[found[1]][found[2]])


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


class RefusedFile:
    """The refused rows as CSV in UTF-8 with a mark, so that spreadsheets read it as such."""

    def __init__(self, headers: Sequence[str]) -> None:
        self._width = len(headers)
        self._text = io.StringIO()
        self._writer = csv.writer(self._text)
        self._writer.writerow([*map(guarded, headers), "行号 row", "原因 reason"])

    def add(self, number: int, cells: Sequence[str], result: Result) -> bool:
        """Whether there is room for more."""
        padded = [*cells, *[""] * (self._width - len(cells))][: self._width]
        _, english, chinese = result.problem or ["", "", ""]
        self._writer.writerow([*map(guarded, padded), number, guarded(f"{chinese} / {english}")])
        return self._text.tell() < MOST_REFUSED_BYTES // 3

    def content(self) -> bytes:
        return b"\xef\xbb\xbf" + self._text.getvalue().encode()
