"""Sheets to fill in, as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.api.v1 import file_pb2
from dealwright.leads.v1 import imports_pb2 as pb
from leads.domain.imports import ImportKind
from leads.domain.templates import Column, Need
from leads.wire import cells, record_rows
from leads.wire.imports import kind as checked_kind

_Request = pb.DownloadImportTemplateRequest
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# The number of the format "@" that every spreadsheet has.
_TEXT = 49
_NAMES = {
    ImportKind.LEADS: ("线索", "leads"),
    ImportKind.CUSTOMERS: ("客户", "customers"),
    ImportKind.CONTACTS: ("联系人", "contacts"),
    ImportKind.OPPORTUNITIES: ("商机", "opportunities"),
    ImportKind.FOLLOW_UPS: ("跟进", "follow-ups"),
}
_NEEDS = {
    Need.REQUIRED: ("必填", "required"),
    Need.ONE_OF: ("此类至少填一项", "at least one of these"),
    Need.FREE: ("", ""),
}
_NOTES = (("列", "必填", "填写说明"), ("column", "required", "what may be written"))
_LEAVE = (
    "第 2 行是示例，导入前请替换或删除。不认识的列可以添加，也可以删除选填列。",
    "Row 2 is an example: replace or delete it before you import. Columns that are not required may be deleted.",
)
_DATE = ("日期，如 2026-10-01 或 2026-10-01 09:30", "a date such as 2026-10-01 or 2026-10-01 09:30")
_MONEY = ("金额，如 120000 或 12万", "an amount such as 120000")
_PERSON = ("人员姓名；留空则按规则", "a person's display name; by the rules when empty")
_PHONE = ("手机号 11 位，或带区号的固定电话", "a mobile number of 11 digits, or a land line with its area code")
_LICENCE = ("18 位统一社会信用代码", "the 18 characters of the credit code")
_LABELS = ("多个用顿号或逗号分隔", "several are parted by commas")
_KNOWN_CUSTOMER = ("须为已有客户的名称", "the name of a customer that is there already")
_HINTS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("captureTime", "happenTime", "nextTime", "openTime", "closeTime", "expectedCloseDate"), _DATE),
    **dict.fromkeys(("amount", "budget"), _MONEY),
    **dict.fromkeys(("phone", "customerPhone", "leadPhone"), _PHONE),
    **dict.fromkeys(("licence", "customerLicence"), _LICENCE),
    **dict.fromkeys(("tags", "skills", "products"), _LABELS),
    "owner": _PERSON,
    "customer": _KNOWN_CUSTOMER,
    "opportunity": ("已有商机的编号或名称", "the number or title of an opportunity that is there already"),
}
_CHOICES: Mapping[str, Mapping[int, str]] = {
    "channel": {int(value): words for value, words in cells.CHANNELS.items()},
    "intent": {int(value): words for value, words in cells.INTENTS.items()},
    "tier": record_rows.TIERS,
    "decisionRole": record_rows.ROLES,
    "importance": record_rows.IMPORTANCES,
    "method": record_rows.METHODS,
    "outcome": record_rows.OUTCOMES,
}


def asked(request: _Request) -> tuple[ImportKind, str, str]:
    """What of, "csv" or "xlsx", "zh" or "en". Raises Invalid with every wrong field."""
    check = FieldCheck()
    kind = check.take("kind", checked_kind, request.kind) or 0
    form = check.take("format", _form, request.format) or ""
    if request.language not in ("", "zh", "en"):
        check.refuse("language", "must be zh or en", "须为 zh 或 en")
    if check.violations:
        raise Invalid(check.violations)
    return ImportKind(kind), form, request.language or "zh"


def _form(value: int) -> str:
    if value not in _Request.Format.values():
        raise FieldProblem("must be one of XLSX, CSV", "须为 XLSX、CSV 之一")
    return "csv" if value == _Request.CSV else "xlsx"


def file(kind: ImportKind, form: str, language: str, columns: Sequence[Column]) -> file_pb2.File:
    """The sheet under a name in its language."""
    english = language == "en"
    stem = f"{_NAMES[kind][1]}-template" if english else f"{_NAMES[kind][0]}导入模板"
    content = _csv(columns) if form == "csv" else _workbook(kind, columns, english)
    return file_pb2.File(file_name=f"{stem}.{form}", content_type=_TYPES[form], content=content)


def _marked(column: Column) -> str:
    """Its header; an import reads it without the mark."""
    return column.header if column.need is Need.FREE else f"{column.header}*"


def _csv(columns: Sequence[Column]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[_marked(column) for column in columns], [column.example for column in columns]])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _workbook(kind: ImportKind, columns: Sequence[Column], english: bool) -> bytes:
    """All cells are text: a spreadsheet takes no zero from a phone then, and makes no day of a number."""
    from xlsxwriter import Workbook

    content = io.BytesIO()
    with Workbook(content, {"in_memory": True}) as book:
        text, head = (book.add_format({"num_format": _TEXT, "bold": bold}) for bold in (False, True))
        sheet = book.add_worksheet(_NAMES[kind][english])
        sheet.set_column(0, len(columns) - 1, 18, text)
        sheet.freeze_panes(1, 0)
        for index, column in enumerate(columns):
            sheet.write_string(0, index, _marked(column), text if column.need is Need.FREE else head)
            sheet.write_string(1, index, column.example, text)
        notes = book.add_worksheet("Notes" if english else "填写说明")
        notes.set_column(0, 1, 22, text)
        notes.set_column(2, 2, 80, text)
        told = [(_marked(one), _NEEDS[one.need][english], _hint(kind, one.field, english)) for one in columns]
        for row, line in enumerate([_NOTES[english], *told, (_LEAVE[english],)]):
            for index, said in enumerate(line):
                notes.write_string(row, index, said, text if row else head)
    return content.getvalue()


def _hint(kind: ImportKind, field: str, english: bool) -> str:
    # Stages of opportunities are the company's.
    choices = record_rows.STAGES if (kind, field) == (ImportKind.CUSTOMERS, "stage") else _CHOICES.get(field)
    if choices is None:
        return _HINTS.get(field, ("", ""))[english]
    return " / ".join(_word(words.split(), english) for words in choices.values())


def _word(words: Sequence[str], english: bool) -> str:
    return next((word for word in words if word.isascii() is english), words[0])
