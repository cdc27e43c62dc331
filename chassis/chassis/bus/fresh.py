"""How a process becomes one of the `work` role."""

import os
import sys
from typing import NoReturn


def work(module: str) -> NoReturn:
    """Handles the events of the service that `module` ("leads.main") declares, until SIGTERM or SIGINT. Loads nameko;
    never gRPC.

    eventlet must patch a process before anything else is imported, so this one starts anew, under the same id: what it
    imported until then was for nothing.
    """
    os.execv(sys.executable, [sys.executable, "-m", "chassis.bus.worker", module])
