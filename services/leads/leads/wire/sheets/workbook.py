"""XLSX: looked at as the archive it is, then read."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from leads.wire.sheets.limits import NotReadable, beyond_limits, damaged, too_many_rows, too_wide

_MOST_ENTRIES = 2000
_MOST_UNPACKED = 512 * 1024 * 1024
# What packs better than this and is large is no table.
_MOST_RATIO, _SMALL = 200, 4 * 1024 * 1024
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
# The 703rd column on (AAA), and row 1 000 000 on.
_FAR_COLUMN = re.compile(rb'[ \t\n]r="[A-Z]{3}[0-9]')
_FAR_ROW = re.compile(rb'[ \t\n]r="[A-Z]{0,3}[0-9]{7}')
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_WINDOW = 1 << 20


def looks_like_one(data: bytes) -> bool:
    return data[:4] == b"PK\x03\x04"


def check(data: bytes) -> None:
    """Raises NotReadable for an archive that is no workbook, or that unpacks to more than a table needs."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if "[Content_Types].xml" not in names or not any(_SHEET.fullmatch(name) for name in names):
                raise damaged()
            if len(entries) > _MOST_ENTRIES or len(names) < len(entries):
                raise beyond_limits()
            if any(entry.flag_bits & 1 for entry in entries):
                raise NotReadable("ENCRYPTED", "The workbook has a password: remove it.", "该工作簿有密码，请先移除。")
            unpacked = sum(entry.file_size for entry in entries)
            packed = sum(entry.compress_size for entry in entries)
            if unpacked > _MOST_UNPACKED or packed > len(data):
                raise beyond_limits()
            if unpacked > _SMALL and unpacked > _MOST_RATIO * max(packed, 1):
                raise beyond_limits()
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")):
                    _look_through(archive, entry)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError):
        raise damaged() from None


def _look_through(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Entities and cells far out, without unpacking more than a window at a time."""
    is_sheet = _SHEET.fullmatch(entry.filename) is not None
    with archive.open(entry) as part:
        kept = b""
        first = True
        while window := part.read(_WINDOW):
            seen = kept + window
            if first and _ENTITIES.search(seen):
                raise NotReadable("ENTITIES", "The workbook defines XML entities.", "该工作簿含有 XML 实体定义。")
            if is_sheet and _FAR_COLUMN.search(seen):
                raise too_wide()
            if is_sheet and _FAR_ROW.search(seen):
                raise too_many_rows()
            if not is_sheet:
                return
            kept, first = seen[-64:], False


def rows(data: bytes) -> tuple[str, Iterator[tuple[int, Sequence[str]]]]:
    """The sheet's name, and the rows of the first sheet that has any with their numbers. Raises NotReadable."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    check(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for index, name in enumerate(book.sheet_names):
            sheet = book.get_sheet_by_index(index)
            if sheet.height:
                return name, _numbered(sheet)
    except PasswordError:
        raise NotReadable(
            "ENCRYPTED", "The workbook has a password: remove it.", "该工作簿有密码，请先移除。"
        ) from None
    except (CalamineError, ValueError, OSError):
        raise damaged() from None
    raise NotReadable("EMPTY", "The file has no rows.", "文件没有数据。")


def _numbered(sheet: Any) -> Iterator[tuple[int, Sequence[str]]]:
    """calamine leaves out what is empty above and counts columns from the first that is used."""
    above = sheet.start[0] if sheet.start else 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        yield above + number if len(row) else number, [text_of(cell) for cell in row]


def text_of(cell: Any) -> str:
    """A cell as it would stand in a CSV."""
    if cell is None or cell == "":
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
