"""CSV: which encoding, what parts the cells, and its rows."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

from leads.wire.sheets.limits import LONGEST_CELL, NotReadable, damaged

DELIMITERS = (",", "\t", ";", "|")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LOOKED_AT = 50


def encoding_of(data: bytes) -> tuple[str, int]:
    """The encoding, and how many bytes of a mark to leave out. Raises NotReadable."""
    marked = next(((name, len(mark)) for mark, name in _BOMS if data.startswith(mark)), None)
    if marked is None and b"\x00" in data:
        return _utf16(data), 0
    for name, mark in [marked] if marked else [("utf-8", 0), ("gb18030", 0)]:
        if _decodes(data[mark:], name):
            return name, mark
    raise NotReadable(
        "ENCODING",
        "The file is neither UTF-8 nor UTF-16 nor GBK: save it as CSV UTF-8 and try again.",
        "文件编码不是 UTF-8、UTF-16 或 GBK，请另存为 CSV UTF-8 后重试。",
    )


def _utf16(data: bytes) -> str:
    """UTF-16 without a mark: line ends and commas have their zero byte on one side."""
    pairs = data[: len(data) // 2 * 2]
    for name, zeros in (("utf-16-le", pairs[1::2]), ("utf-16-be", pairs[0::2])):
        other = pairs[0::2] if name == "utf-16-le" else pairs[1::2]
        if zeros.count(0) > 2 * other.count(0) and _decodes(data, name):
            return name
    raise damaged()


def _decodes(data: bytes, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for start in range(0, len(data), 1 << 20):
            decoder.decode(data[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def delimiter_of(text: str) -> str:
    """What parts the cells: the candidate under which the first rows are of one width, the wider the better."""
    if text[:4].lower() == "sep=" and text[4:5] in DELIMITERS and text[5:6] in ("\r", "\n"):
        return text[4]
    best, found = (0.0, 0), ","
    for candidate in DELIMITERS:
        try:
            rows = [row for row in islice(_reader(io.StringIO(text[:200_000]), candidate), _LOOKED_AT) if row]
        except csv.Error:
            continue
        widths = [len(row) for row in rows]
        usual = max(set(widths), key=widths.count, default=1)
        if usual > 1:
            best, found = max((best, found), ((widths.count(usual) / len(widths), usual), candidate))
    return found


def _reader(lines: io.TextIOBase, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    return csv.reader(lines, delimiter=delimiter)


def rows(data: bytes) -> tuple[str, str, Iterator[tuple[int, Sequence[str]]]]:
    """Encoding, delimiter, and the rows with their numbers as a spreadsheet counts them. Raises NotReadable, the rows
    too."""
    encoding, mark = encoding_of(data)
    start = data[mark : mark + 400_000]
    head = codecs.getincrementaldecoder(encoding)().decode(start).lstrip()
    if head[:1] == "<" or head[:4] == "%PDF":
        raise damaged()
    delimiter = delimiter_of(head)
    text = io.TextIOWrapper(io.BytesIO(data[mark:]), encoding=encoding, newline="")
    return encoding, delimiter, _numbered(text, delimiter)


def _numbered(text: io.TextIOWrapper, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    reader = _reader(text, delimiter)
    number = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as problem:
            raise NotReadable(
                "CSV",
                f"After row {number + 1} the file is no CSV: a quotation mark may be missing ({problem}).",
                f"第 {number + 1} 行之后不是有效的 CSV，可能缺少引号。",
            ) from None
        if row is None:
            return
        number += 1
        if number == 1 and len(row) <= 2 and row[0][:4].lower() == "sep=":
            continue
        yield number, row
