"""A real mail server on a free port of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from socket import create_connection
from typing import Any

from aiosmtpd.controller import Controller


class Box:
    """What arrived. `answers`: what the server says to the next letters instead of taking them; "drop" takes one and
    hangs up before it says so."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answers: list[str] = []
        self.url = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250") or answer == "drop":
            self.letters.append(BytesParser(_class=EmailMessage, policy=default).parsebytes(envelope.content))
        if answer == "drop":
            server.transport.abort()
        return answer if answer != "drop" else "250 OK"


@contextmanager
def opened() -> Iterator[Box]:
    box = Box()
    controller = Controller(box, hostname="127.0.0.1", port=0)

    def port_of() -> int:
        server: Any = controller.server
        return int(server.sockets[0].getsockname()[1])

    # The controller makes sure of itself by connecting to its port, which it does not know when it asked for 0.
    controller._trigger_server = lambda: create_connection(("127.0.0.1", port_of()), 5).close()  # type: ignore[method-assign]
    controller.start()
    box.url = f"smtp://127.0.0.1:{port_of()}"
    try:
        yield box
    finally:
        controller.stop()
