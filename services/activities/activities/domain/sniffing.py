"""What a file is: its first bytes say, and its name and its sender must not say otherwise.

Taken are documents, pictures and recordings that show or play and do nothing else. Everything else is refused: what a
browser would run (HTML, SVG, XML), programs, archives, and formats of old that carry macros.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from activities.domain import office
from chassis.fields import FieldProblem

LONGEST_NAME = 200
_OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True, slots=True)
class Type:
    """A kind of file. The first of `extensions` is given to one without; `also` is what senders call it, too."""

    content_type: str
    extensions: tuple[str, ...]
    also: tuple[str, ...] = ()


_PDF = Type("application/pdf", ("pdf",), ("application/x-pdf",))
_PNG = Type("image/png", ("png",))
_JPEG = Type("image/jpeg", ("jpg", "jpeg", "jpe"), ("image/jpg", "image/pjpeg"))
_GIF = Type("image/gif", ("gif",))
_WEBP = Type("image/webp", ("webp",))
_BMP = Type("image/bmp", ("bmp",), ("image/x-ms-bmp",))
_TIFF = Type("image/tiff", ("tiff", "tif"))
_HEIC = Type("image/heic", ("heic", "heif"), ("image/heif",))
_MP3 = Type("audio/mpeg", ("mp3",), ("audio/mp3",))
_WAV = Type("audio/wav", ("wav",), ("audio/x-wav", "audio/wave", "audio/vnd.wave"))
_AMR = Type("audio/amr", ("amr",))
_MP4 = Type("video/mp4", ("mp4", "m4a", "m4v", "mov"), ("audio/mp4", "audio/x-m4a", "video/quicktime", "audio/m4a"))
_TEXT = Type(
    "text/plain",
    ("txt", "csv", "log", "md"),
    ("text/csv", "text/markdown", "text/x-log", "text/comma-separated-values", "application/csv"),
)
# Windows declares a CSV as what it opens it with.
_CSV_OF_WINDOWS = "application/vnd.ms-excel"
_OOXML = {
    "docx": Type(f"{_OFFICE}.wordprocessingml.document", ("docx",)),
    "xlsx": Type(f"{_OFFICE}.spreadsheetml.sheet", ("xlsx",)),
    "pptx": Type(f"{_OFFICE}.presentationml.presentation", ("pptx",)),
}
# ISO media files name their brand after "ftyp".
_PICTURE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")
_MAGIC: tuple[tuple[Callable[[bytes], bool], Type], ...] = (
    (lambda d: d.startswith(b"%PDF-"), _PDF),
    (lambda d: d.startswith(b"\x89PNG\r\n\x1a\n"), _PNG),
    (lambda d: d.startswith(b"\xff\xd8\xff"), _JPEG),
    (lambda d: d.startswith((b"GIF87a", b"GIF89a")), _GIF),
    (lambda d: d[:4] == b"RIFF" and d[8:12] == b"WEBP", _WEBP),
    (lambda d: d[:4] == b"RIFF" and d[8:12] == b"WAVE", _WAV),
    (lambda d: d[:2] == b"BM" and d[6:10] == b"\0\0\0\0" and int.from_bytes(d[2:6], "little") == len(d), _BMP),
    (lambda d: d.startswith((b"II*\0", b"MM\0*")), _TIFF),
    (lambda d: d[4:8] == b"ftyp" and d[8:12] in _PICTURE_BRANDS, _HEIC),
    (lambda d: d[4:8] == b"ftyp", _MP4),
    (lambda d: d.startswith(b"ID3") or (d[:1] == b"\xff" and d[1:2] in (b"\xfb", b"\xf3", b"\xf2")), _MP3),
    (lambda d: d.startswith((b"#!AMR\n", b"#!AMR-WB\n")), _AMR),
)
# What is known and not taken, with why.
_REFUSED: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (
        lambda d: d.startswith((b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe")),
        "is a program",
        "是可执行程序",
    ),
    (
        lambda d: d.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        "is an office file of the old kind, which may carry macros: save it as docx, xlsx, pptx or PDF",
        "是旧版 Office 格式（可能含宏），请另存为 docx、xlsx、pptx 或 PDF",
    ),
    (
        lambda d: d.startswith((b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")),
        "is an archive: upload the files in it by themselves",
        "是压缩包，请直接上传其中的文件",
    ),
)
_NO_TEXT = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f]")
_MARKUP = re.compile(r"<\s*(?:!|\?|[a-z])", re.IGNORECASE)
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,10})\Z")


def type_of(data: bytes) -> Type:
    """Raises FieldProblem for a file that is empty, or of no kind that is taken."""
    if not data:
        raise FieldProblem("is empty", "文件为空")
    for is_one, english, chinese in _REFUSED:
        if is_one(data):
            raise FieldProblem(english, chinese)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _OOXML[office.kind(data)]
    for is_one, found in _MAGIC:
        if is_one(data):
            return found
    return _text(data)


def _text(data: bytes) -> Type:
    unknown = FieldProblem(
        "is of no kind that is taken: PDF, office documents, pictures, recordings, plain text",
        "不是可接受的文件类型：仅支持 PDF、Office 文档、图片、录音和纯文本",
    )
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise unknown
    if _NO_TEXT.search(text):
        raise unknown
    start = text.lstrip("\ufeff \t\r\n\f")
    if _MARKUP.match(start):
        raise FieldProblem(
            "is HTML, SVG or XML, which a browser could run", "是 HTML、SVG 或 XML 文件，可能在浏览器中执行"
        )
    if start.startswith("#!"):
        raise FieldProblem("is a program", "是可执行程序")
    return _TEXT


def agreed(data: bytes, file_name: str, declared: str) -> tuple[str, str]:
    """(the file's name, its content type). The name gets an extension where it has none. Raises FieldProblem for a file
    that is not taken, or that is not what its name or its sender says."""
    found = type_of(data)
    name = named(file_name, found)
    said = declared.partition(";")[0].strip().lower()
    silent = said in ("", "application/octet-stream", "binary/octet-stream")
    known = said in (found.content_type, *found.also) or (found is _TEXT and said == _CSV_OF_WINDOWS)
    if not silent and not known:
        raise FieldProblem(
            f"is {found.content_type} and was declared as {said[:80]}",
            f"实际是 {found.content_type}，却声明为 {said[:80]}",
        )
    return name, found.content_type


def named(file_name: str, found: Type | str) -> str:
    """The name without folders and what nobody can see, with an extension of the type. Raises FieldProblem."""
    kind = found if isinstance(found, Type) else next(t for t in TYPES if t.content_type == found)
    plain = "".join(c for c in unicodedata.normalize("NFC", file_name) if unicodedata.category(c)[0] != "C")
    plain = re.split(r"[/\\]", plain)[-1].strip(" .")
    if len(plain) > LONGEST_NAME:
        raise FieldProblem(f"has a name of more than {LONGEST_NAME} characters", f"文件名超过 {LONGEST_NAME} 个字符")
    extension = _EXTENSION.search(plain)
    if extension is None:
        return f"{plain or 'file'}.{kind.extensions[0]}"
    if extension[1].lower() not in kind.extensions:
        raise FieldProblem(
            f"is {kind.content_type} and is called .{extension[1]}",
            f"实际是 {kind.content_type}，文件名却以 .{extension[1]} 结尾",
        )
    return plain


TYPES = (_PDF, _PNG, _JPEG, _GIF, _WEBP, _BMP, _TIFF, _HEIC, _MP3, _WAV, _AMR, _MP4, _TEXT, *_OOXML.values())
