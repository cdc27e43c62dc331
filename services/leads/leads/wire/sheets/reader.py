"""The process that reads one file: the file on its standard input, lines of JSON on its standard output.

    python -m leads.wire.sheets.reader MEMORY_BYTES SECONDS

{"head": {"format", "encoding", "delimiter", "headers"}}, {"rows": [[number, [cell, ...]], ...]}, {"end": total} or
{"problem": [reason, English, Chinese]}. It limits itself before it reads anything.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from leads.wire.sheets import text_file, workbook
from leads.wire.sheets.limits import (
    BLOCK,
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    NotReadable,
    beyond_limits,
    damaged,
    too_many_rows,
    too_wide,
)

_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_ARCHIVES = (b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\x89PNG", b"\xff\xd8\xff", b"%PDF", b"GIF8")


def limit(memory: int, seconds: int) -> None:
    """What goes beyond this ends this process and no other."""
    try:
        import resource
    except ImportError:  # Windows: the parent's clock is all there is
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")


def read(data: bytes) -> None:
    """Writes the file's rows. Raises NotReadable."""
    if len(data) > MOST_BYTES:
        raise beyond_limits()
    head = {"format": "CSV", "encoding": "", "delimiter": ""}
    found: Iterable[tuple[int, Sequence[str]]]
    if workbook.looks_like_one(data):
        head["format"] = "XLSX"
        _, found = workbook.rows(data)
    elif data.startswith(_OLD_WORKBOOK):
        raise NotReadable(
            "OLD_WORKBOOK",
            "This is an .xls file of before 2007, or one with a password: save it as .xlsx without one.",
            "这是旧版 .xls 文件或加密文件，请另存为不加密的 .xlsx。",
        )
    elif data.startswith(_ARCHIVES):
        raise damaged()
    else:
        head["encoding"], head["delimiter"], found = text_file.rows(data)
    headers: list[str] | None = None
    block: list[tuple[int, list[str]]] = []
    total = 0
    for number, row in found:
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if len(cells) > MOST_COLUMNS:
            raise too_wide()
        if headers is None:
            headers = unique(cells)
            say({"head": {**head, "headers": headers}})
            continue
        total += 1
        if total > MOST_ROWS:
            raise too_many_rows()
        block.append((number, cells))
        if len(block) == BLOCK:
            say({"rows": block})
            block = []
    if block:
        say({"rows": block})
    if not total:
        raise NotReadable("EMPTY", "The file has no rows below its header.", "文件除表头外没有数据。")
    say({"end": total})


def unique(headers: Sequence[str]) -> list[str]:
    """Each header once: a second one of the same name becomes "… (2)", an empty one "column 3"."""
    seen: dict[str, int] = {}
    found: list[str] = []
    for number, header in enumerate(headers, 1):
        name = " ".join(header.split())[:100] or f"column {number}"
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def main(memory: int, seconds: int) -> None:
    limit(memory, seconds)
    try:
        read(sys.stdin.buffer.read(MOST_BYTES + 1))
    except NotReadable as problem:
        refuse(problem)
    except MemoryError:
        refuse(beyond_limits())


def refuse(problem: NotReadable) -> None:
    say({"problem": [problem.reason, problem.english, problem.chinese]})


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
