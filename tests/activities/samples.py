"""Files as people send them, small, and files as others make them to do harm."""

from __future__ import annotations

import io
import struct
import zipfile

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
_PARTS = {
    "docx": ("word/document.xml", "wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", "presentationml.presentation.main+xml"),
}


def zipped(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return held.getvalue()


def office(kind: str = "docx", **more: bytes) -> bytes:
    """An office file that holds what one of its kind must; `more` by name, "__" for a slash, "_" for a dot."""
    part, declared = _PARTS[kind]
    contents = f'<Types><Override PartName="/{part}" ContentType="application/vnd.{declared}"/></Types>'
    others = {name.replace("__", "/").replace("_", "."): content for name, content in more.items()}
    return zipped({"[Content_Types].xml": contents.encode(), part: b"<x/>", **others})


def bomb(kind: str = "xlsx") -> bytes:
    """64 MB of nothing in some 64 kB."""
    return office(kind, xl__sharedStrings_xml=bytes(64 * 1024 * 1024))


def overlapping(copies: int = 2_000) -> bytes:
    """One entry that the list of contents names many times over."""
    plain = office("xlsx", xl__sheet_xml=bytes(200_000))
    end = plain.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack("<HII", plain[end + 10 : end + 20])
    last = plain.rindex(b"PK\x01\x02")
    entry = plain[last:end]
    directory = plain[start:end] + entry * copies
    tail = bytearray(plain[end:])
    struct.pack_into("<HHII", tail, 8, count + copies, count + copies, len(directory), start)
    assert size <= len(directory)
    return plain[:start] + directory + bytes(tail)


def lying(kind: str = "docx") -> bytes:
    """An entry that says it is 4 bytes long and is not."""
    plain = bytearray(office(kind, word__media_xml=b"x" * 100_000))
    entry = plain.rindex(b"PK\x01\x02")
    struct.pack_into("<I", plain, entry + 24, 4)
    return bytes(plain)
