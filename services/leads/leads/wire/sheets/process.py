"""A file's rows, read by a process that is started for it alone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from leads.wire.sheets.limits import NotReadable, beyond_limits

# Enough for 200 000 rows of a sales team's sheet, and less than a pod has to spare.
MEMORY = 384 * 1024 * 1024
SECONDS = 60


def lines(parts: Iterable[bytes], memory: int = MEMORY, seconds: int = SECONDS) -> Iterator[dict[str, Any]]:
    """What the reader says of the file whose parts these are, line by line. Raises NotReadable; ends the process when
    the caller stops."""
    command = [sys.executable, "-I", "-m", "leads.wire.sheets.reader", str(memory), str(seconds)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdin is not None
    assert child.stdout is not None
    feeder = threading.Thread(target=_feed, args=(child.stdin, parts), daemon=True)
    clock = threading.Timer(2.0 * seconds, child.kill)
    clock.daemon = True
    feeder.start()
    clock.start()
    ended = False
    try:
        for line in child.stdout:
            said: dict[str, Any] = json.loads(line)
            if "problem" in said:
                raise NotReadable(*said["problem"])
            ended = "end" in said
            yield said
        if not ended:  # its limits ended it
            raise beyond_limits()
    finally:
        clock.cancel()
        child.kill()
        child.stdout.close()
        child.wait()
        feeder.join(10)


def _feed(to: Any, parts: Iterable[bytes]) -> None:
    with suppress(BrokenPipeError, OSError):
        for part in parts:
            to.write(part)
    with suppress(BrokenPipeError, OSError):
        to.close()
