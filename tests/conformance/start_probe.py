"""A process of the probe service: `start_probe.py serve | work | embedded`. Settings from the environment."""

from __future__ import annotations

import signal
import sys
import threading

from chassis.bus.fresh import work


def _embedded() -> None:
    from chassis.embedding import Embedding
    from chassis.settings import Settings
    from tests.conformance.probe import service

    settings = Settings()
    databases = {"probe": settings.database_url} if settings.database_url else None
    embedding = Embedding([service], settings, databases)
    embedding.start()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    print("address", embedding.addresses["probe"], flush=True)
    # In short waits, as the roles do: a signal that comes right before a wait is handled after it.
    while not stopping.wait(0.5):
        pass
    embedding.stop()


def main(role: str) -> None:
    if role == "work":
        work("tests.conformance.probe")
    from chassis import roles
    from tests.conformance.probe import service

    {"serve": lambda: roles.serve(service), "embedded": _embedded}[role]()


if __name__ == "__main__":
    main(sys.argv[1])
