"""Typesetting in a process of its own, which may be ended: it gets a template's path and its data on standard input, no
files of ours beside the template's and the fonts', a bounded time and a bounded memory. `python -m chassis.typeset` is
that process; typst and the font come with the services that use it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

_MOST_MEMORY = 2 * 1024**3


class NotTypeset(Exception):
    """It took too long, or failed; what is told is for the log."""


def pdf(template: Path, data: dict[str, Any], made: datetime, seconds: float) -> bytes:
    """The PDF that a template makes of `data` (a text in sys.inputs.data). `made` is the moment that it bears. Raises
    NotTypeset."""
    sent = json.dumps(
        {"template": str(template), "made": int(made.timestamp()), "data": json.dumps(data, ensure_ascii=False)}
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "chassis.typeset", str(int(seconds) + 1)],
            input=sent.encode(),
            capture_output=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise NotTypeset(f"not done in {seconds} s") from None
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise NotTypeset(done.stderr.decode("utf-8", "replace")[-2000:])
    return done.stdout


def _bound(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # no POSIX: the time is bounded all the same, by whoever waits
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


def main(seconds: int) -> None:
    _bound(seconds)
    import pylopdf_fonts_zh_cn
    import typst

    sent = json.load(sys.stdin.buffer)
    template = Path(sent["template"])
    # The folder of the font: its sans for what is read, its serif for the title. No font of the machine comes in, so
    # that the paper looks the same everywhere.
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(pylopdf_fonts_zh_cn.sans_path().parent)],
    )
    compiler = typst.Compiler(
        template.read_bytes(), root=str(template.parent), font_paths=fonts, sys_inputs={"data": sent["data"]}
    )
    made = compiler.compile(format="pdf", timestamp=sent["made"])
    assert isinstance(made, bytes)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main(int(sys.argv[1]))
