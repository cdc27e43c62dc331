"""What a developer's terminal shows of an error: where it happened, and nothing personal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
    import structlog
    from chassis import telemetry

    telemetry.start("probe", "serve", "INFO", 0.0)
    log = structlog.get_logger("probe")

    def capture():
        phone = "138" + "00138000"
        raise RuntimeError(f"asked to fail for {phone}")

    try:
        capture()
    except RuntimeError as problem:
        log.exception("call failed")
        log.error("call failed again", exc_info=True)
        log.error("call failed thrice", exc_info=problem)
        log.bind(exc_info=problem).warning("call failed four times")
"""


def output_of(program: str, terminal: bool) -> str:
    """What it says to its standard error, a terminal or a pipe."""
    ours, theirs = pty.openpty() if terminal else os.pipe()
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # how a terminal says that the other side has gone
        pass
    os.close(ours)
    assert child.wait(20) == 0, said
    return said.decode()


@pytest.mark.parametrize("terminal", [True, False])
def test_an_error_shows_its_lines_and_neither_its_message_nor_what_variables_held(terminal: bool) -> None:
    said = output_of(PROGRAM, terminal)
    assert ("\x1b[" in said) is terminal, "colours on a terminal alone"
    assert said.count("RuntimeError") == 4
    assert said.count("capture") == 4
    assert "13800138000" not in said
    assert "asked to fail" not in said
