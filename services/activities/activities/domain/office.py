"""Office files (OOXML) are zips: whether one really is such a file, and stays a reasonable size when it is unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib

from chassis.fields import FieldProblem

MOST_ENTRIES = 5_000
MOST_BYTES = 200 * 1024 * 1024
# How many times larger it may become; what is small all the same may become larger.
MOST_RATIO, UNJUDGED_BYTES = 100, 10 * 1024 * 1024
_CONTENTS, _LARGEST_CONTENTS = "[Content_Types].xml", 1024 * 1024
_STEP = 256 * 1024
_ENCRYPTED = 0x1
# The part that an office file of each kind has, and what it is called in the list of contents.
_PARTS = {
    "docx": ("word/", b"wordprocessingml.document.main+xml"),
    "xlsx": ("xl/", b"spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/", b"presentationml.presentation.main+xml"),
}
_ACTIVE = ("vbaproject.bin", "vbadata.xml", ".exe", ".dll", ".js", ".vbs", ".scr", ".bat", ".cmd", ".ps1")
_ACTIVE_FOLDERS = ("activex/", "/activex/")


def kind(data: bytes) -> str:
    """ "docx", "xlsx" or "pptx". Raises FieldProblem for any other zip, for macros and programs inside, and for one
    that would unpack to far more than it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _bounded(entries, len(data))
            found = _kind(archive, {entry.filename for entry in entries})
            _true(archive, entries)
    except FieldProblem:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise FieldProblem("is a damaged archive", "是损坏的压缩文件") from error
    return found


def _bounded(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Judged by what the archive says of itself; `_true` then sees whether that is so."""
    total = sum(entry.file_size for entry in entries)
    many = len(entries) > MOST_ENTRIES
    if many or total > MOST_BYTES or (total > UNJUDGED_BYTES and total > MOST_RATIO * size):
        raise FieldProblem(
            "unpacks to far more than it is: a file made to exhaust whoever opens it",
            "解压后远大于文件本身，疑似压缩炸弹",
        )
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise FieldProblem("is encrypted: nobody can tell what is in it", "文件已加密，无法检查其内容")


def _kind(archive: zipfile.ZipFile, names: set[str]) -> str:
    if _CONTENTS not in names or archive.getinfo(_CONTENTS).file_size > _LARGEST_CONTENTS:
        raise FieldProblem("is an archive: upload the files in it by themselves", "是压缩包，请直接上传其中的文件")
    for name in names:
        low = name.lower()
        if low.endswith(_ACTIVE) or any(folder in f"/{low}" for folder in _ACTIVE_FOLDERS):
            raise FieldProblem("has macros or programs in it", "含有宏或可执行内容")
    contents = archive.read(_CONTENTS)
    for found, (folder, declared) in _PARTS.items():
        if declared in contents and any(name.startswith(folder) for name in names):
            return found
    raise FieldProblem("is no office document of a kind that is taken", "不是可接受的 Office 文档")


def _true(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Unpacks every entry to nowhere: reading ends at the size that was said, and a wrong sum raises BadZipFile."""
    for entry in entries:
        with archive.open(entry) as content:
            while content.read(_STEP):
                pass
