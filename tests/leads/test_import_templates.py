"""Templates to fill in: what comes out goes back in, every column known and the example row taken."""

from __future__ import annotations

import csv
import io
import itertools
import sys
import zipfile
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from chassis.errors import Invalid
from dealwright.api.v1 import bringing_pb2, file_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.leads.v1 import imports_pb2 as pb
from leads.domain import headers
from leads.domain.imports import ImportKind
from leads.servicer import others
from leads.wire import record_rows, template_files
from tests.leads.desk import Desk
from tests.leads.importer import Importer

Import, Row, Wanted = pb.Import, pb.ImportRow, pb.DownloadImportTemplateRequest
KINDS = ("LEADS", "CUSTOMERS", "CONTACTS", "OPPORTUNITIES", "FOLLOW_UPS")
EVERY = list(itertools.product(KINDS, ("XLSX", "CSV"), ("zh", "en")))


class Neighbours:
    """The other services, who know the example's customer and take each record that is wholly read."""

    def __init__(self) -> None:
        self.named: list[str] = []

    def call(self, service: str, method: str, request: Any, *_: Any) -> Any:
        if method == "BatchFindCustomers":
            self.named = [one.display_name or one.phone for one in request.customers]
            return customers_pb2.BatchFindCustomersResponse(
                names=[f"customers/{n:032x}" for n, _ in enumerate(self.named)]
            )
        call = next(call for call in others._CALLS.values() if method == f"BatchCreate{call[2]}")
        answer = getattr(_module(call[1]), f"{method}Response")()
        for _ in request.requests:
            answer.results.add().brought.outcome = bringing_pb2.Brought.CREATED
        return answer


def _module(message: Any) -> Any:
    return sys.modules[message.__module__]


@pytest.fixture
def importer(desk: Desk, staff: None) -> Importer:
    made = Importer(desk)
    made.carrier.others._peers = Neighbours()  # type: ignore[assignment]
    return made


def _template(importer: Importer, kind: str, form: str, language: str) -> file_pb2.File:
    wanted = Wanted(kind=Import.Kind.Value(kind), format=Wanted.Format.Value(form), language=language)
    return importer.call("DownloadImportTemplate", wanted)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("kind", "form", "language"), EVERY)
def test_I4_I5_a_template_brought_back_maps_every_column_and_its_example_is_taken(
    importer: Importer, kind: str, form: str, language: str
) -> None:
    file = _template(importer, kind, form, language)
    number = Import.Kind.Value(kind)
    job = importer.bring(file.content, kind=number, file_name=file.file_name, validate_only=True)
    assert (job.state, job.format, job.total_rows) == (Import.PREVIEWED, form, 1), job.error
    found = [column.field for column in job.columns]
    assert sorted(found) == sorted(headers.fields(ImportKind(number)))
    (row,) = importer.rows(job.name)
    assert row.verdict == Row.CREATED, row.error
    # Only what names something that a company must have set up first has no example, and what is of history alone.
    empty = {field for field, cell in itertools.zip_longest(found, row.cells) if not cell}
    assert empty <= {
        *("licence", "skills", "owner", "customer", "customerPhone", "customerLicence", "opportunity", "leadPhone"),
        *("stage", "pipeline", "products", "email", "followUpStatus"),
        *("openTime", "closeTime", "statusReason"),
    }


@pytest.mark.parametrize(("kind", "form", "language"), EVERY)
def test_I5_what_is_required_comes_first_and_is_marked(importer: Importer, kind: str, form: str, language: str) -> None:
    first = _rows(_template(importer, kind, form, language))[0]
    marked = [header.endswith("*") for header in first]
    assert marked == sorted(marked, reverse=True)
    required = {
        "LEADS": ["手机号*", "邮箱*"],
        "CUSTOMERS": ["客户名称*"],
        "CONTACTS": ["姓名*", "客户*", "客户电话*", "客户营业执照号*"],
        "OPPORTUNITIES": ["商机名称*"],
        "FOLLOW_UPS": ["商机编号*", "客户*", "客户电话*", "客户营业执照号*", "手机号*"],
    }[kind]
    assert sum(marked) == len(required)
    if language == "zh":
        assert first[: len(required)] == required
    else:
        assert all(header.isascii() for header in first)


def _rows(file: file_pb2.File) -> list[list[Any]]:
    if file.file_name.endswith(".csv"):
        return list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    return list(CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(0).to_python())


def test_I5_a_csv_begins_with_the_mark_by_which_spreadsheets_know_utf_8(importer: Importer) -> None:
    file = _template(importer, "LEADS", "CSV", "zh")
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert (file.file_name, file.content_type) == ("线索导入模板.csv", "text/csv; charset=utf-8")


def test_I4_cells_of_a_workbook_are_text_so_that_phones_keep_their_zeros(importer: Importer) -> None:
    file = _template(importer, "CUSTOMERS", "XLSX", "zh")
    header, example = _rows(file)
    assert example[header.index("手机号")] == "02162345678"
    assert all(isinstance(cell, str) for cell in example)
    # The columns, too, for what people write below: format 49 is text.
    with zipfile.ZipFile(io.BytesIO(file.content)) as parts:
        assert b'numFmtId="49"' in parts.read("xl/styles.xml")
        assert b'<col min="1" max="%d"' % len(header) in parts.read("xl/worksheets/sheet1.xml")
        assert b' style="1"' in parts.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_I5_every_choice_that_the_notes_offer_is_read(importer: Importer, language: str) -> None:
    offered = 0
    for kind in KINDS:
        file = _template(importer, kind, "XLSX", language)
        notes = CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(1).to_python()
        fields = headers.guess(ImportKind[kind], [str(line[0]) for line in notes[1:-1]], {})
        for field, line in zip(fields, notes[1:-1], strict=True):
            if field in template_files._CHOICES and field != "intent":
                for word in str(line[2]).split(" / "):
                    record_rows._CHOICES[field](word)
                    offered += 1
    assert offered > 30


def test_I4_a_kind_a_format_or_a_language_that_is_none_is_refused_by_name(importer: Importer) -> None:
    with pytest.raises(Invalid) as refused:
        importer.call("DownloadImportTemplate", Wanted(kind=0, format=9, language="fr"))  # type: ignore[arg-type]
    assert [one.field for one in refused.value.violations] == ["kind", "format", "language"]


def test_I4_a_workbook_in_chinese_is_what_one_gets_who_says_nothing_else(importer: Importer) -> None:
    file = importer.call("DownloadImportTemplate", Wanted(kind=Import.CONTACTS))
    assert file.file_name == "联系人导入模板.xlsx"
