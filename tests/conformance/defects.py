"""Mistakes for a process of its own (PROBE_DEFECT): each breaks a promise of the chassis, to see the suite go red."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import Any


def acknowledge_before_the_commit() -> None:
    deliveries: Any = getattr(sys.modules["__main__"], "Deliveries", None)
    if deliveries is None:  # not yet the process that handles
        return
    received = deliveries.received

    def early(self: Any, message: Any) -> None:
        message.ack()
        received(self, message)

    deliveries.received = early
    sys.modules["__main__"]._Queues.ack_message = lambda self, message: None


def answer_before_the_commit() -> None:
    server: Any = importlib.import_module("chassis.server")
    carry_out: Any = server.run_command

    def early(*arguments: Any) -> Any:
        threading.Timer(0.2, carry_out, arguments).start()
        call, response_type = arguments[3], arguments[4]
        return response_type(note=call.request.note)

    server.run_command = early
