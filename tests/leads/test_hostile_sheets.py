"""Files that mean harm: each is refused clearly, and costs the service nothing."""

from __future__ import annotations

import io
import resource
import time
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leads.domain.headers import guess
from leads.domain.imports import ImportKind
from leads.wire.imports import guarded
from leads.wire.sheets import text_file
from leads.wire.sheets.limits import NotReadable
from leads.wire.sheets.process import lines

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_REL}/%s" Target="%s"/></Relationships>'
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_BOOK = (
    f'<?xml version="1.0"?><workbook xmlns="{_MAIN}" xmlns:r="{_REL}">'
    '<sheets><sheet name="名单" sheetId="1" r:id="rId1"/></sheets></workbook>'
)


def workbook(cells: str, head: str = "", extra: dict[str, bytes] | None = None) -> bytes:
    """A small XLSX around these rows."""
    sheet = f'<?xml version="1.0"?>{head}<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELS % ("officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", _BOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", _RELS % ("worksheet", "worksheets/sheet1.xml"))
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return file.getvalue()


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


_TABLE = (
    f'<row r="1">{cell("A1", "姓名")}{cell("B1", "手机号")}</row>'
    f'<row r="2">{cell("A2", "王小明")}<c r="B2"><v>13800000001</v></c></row>'
)


def read(content: bytes) -> list[list[str]]:
    return [cells for line in lines([content]) for _, cells in line.get("rows", [])]


def test_I4_a_workbook_is_read_with_its_numbers_as_people_wrote_them() -> None:
    assert read(workbook(_TABLE)) == [["王小明", "13800000001"]]


def _entities() -> bytes:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return workbook(f'<row r="1">{cell("A1", "&l9;")}</row>', f'<!DOCTYPE w [<!ENTITY l0 "lol">{laughs}]>')


def _encrypted() -> bytes:
    """An archive whose entries say that they are encrypted."""
    content = bytearray(workbook(_TABLE))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(mark)
        while place >= 0:
            content[place + at] |= 1
            place = content.find(mark, place + 4)
    return bytes(content)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a cell at XFD1048576": (
        lambda: workbook(_TABLE + f'<row r="1048576">{cell("XFD1048576", "x")}</row>'),
        "TOO_WIDE",
    ),
    "a cell in the last row": (
        lambda: workbook(_TABLE + f'<row r="1048576">{cell("A1048576", "x")}</row>'),
        "TOO_MANY_ROWS",
    ),
    "a cell just below what is looked for": (
        lambda: workbook(_TABLE + f'<row r="999999">{cell("ZZ999999", "x")}</row>'),
        "BEYOND_LIMITS",
    ),
    "a zip bomb": (lambda: workbook(_TABLE, extra={"xl/bomb.xml": b"0" * (300 * 1024 * 1024)}), "BEYOND_LIMITS"),
    "billion laughs": (_entities, "ENTITIES"),
    "a password": (_encrypted, "ENCRYPTED"),
    "an archive that is no workbook": (lambda: _zip({"a.txt": b"x"}), "NOT_A_SHEET"),
    "a torn archive": (lambda: workbook(_TABLE)[:400], "NOT_A_SHEET"),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "OLD_WORKBOOK"),
    "a picture called .csv": (lambda: b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "NOT_A_SHEET"),
    "a page called .xls": (lambda: "<html><table><tr><td>姓名</td></tr></table></html>".encode(), "NOT_A_SHEET"),
    "bytes that are no text": (lambda: bytes([0xFF, 0xFE, 0x00, 0xD8]) * 50 + b"\xff", "ENCODING"),
    "a quotation mark that never ends": (lambda: '姓名,手机\n"'.encode() + "甲".encode() * 60_000, "CSV"),
    "a row of a thousand cells": (lambda: b"a,b\n" + b",".join([b"1"] * 1000), "TOO_WIDE"),
    "nothing below the header": (lambda: "姓名,手机号\n\n".encode(), "EMPTY"),
}


def _zip(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_I10_a_hostile_file_is_refused_by_its_reason_and_costs_the_service_nothing(name: str) -> None:
    make, reason = HOSTILE[name]
    content = make()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(NotReadable) as refused:
        read(content)
    assert refused.value.reason == reason
    assert refused.value.chinese
    assert time.monotonic() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * 1024  # kB
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 600 * 1024


def test_I10_a_reader_that_takes_too_long_is_ended() -> None:
    with pytest.raises(NotReadable) as refused:
        list(lines([b"a,b\n", *[b"x,y\n" * 1000] * 100], seconds=0))
    assert refused.value.reason == "BEYOND_LIMITS"


_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xD7FF, exclude_characters="\x7f"), max_size=20)
_CELL = _TEXT.map(str.strip).filter(lambda text: "\x85" not in text)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(_CELL, min_size=2, max_size=5), min_size=1, max_size=6),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_I10_whatever_stands_in_a_cell_comes_back_from_every_encoding(rows: list[list[str]], encoding: str) -> None:
    import csv

    out = io.StringIO()
    width = max(map(len, rows))
    written = [["姓名", "手机号", "公司", "备注", "城市"][:width], *(row + [""] * (width - len(row)) for row in rows)]
    csv.writer(out).writerows(written)
    found, delimiter, numbered = text_file.rows(out.getvalue().encode(encoding))
    assert delimiter == ","
    assert [list(row) for _, row in numbered] == written, found


@given(_TEXT)
def test_I9_no_cell_of_the_refused_rows_begins_a_formula(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.lists(st.text(max_size=30), max_size=12))
def test_I4_no_two_columns_stand_for_one_field(headers: list[str]) -> None:
    for kind in list(ImportKind)[1:]:
        fields = [field for field in guess(kind, headers, {}) if field]
        assert len(fields) == len(set(fields))
