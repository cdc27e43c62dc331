"""Letters to people outside of the application, and the ways they go: SMTP, and whatever has the same `send`."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

_SECONDS = 10.0


class NotSent(Exception):
    """It certainly did not go out. `permanent`: nor will it, tried again as it is."""

    def __init__(self, why: str, permanent: bool = False) -> None:
        super().__init__(why)
        self.permanent = permanent


class Uncertain(Exception):
    """The connection was lost before the other side said whether it took it."""


@dataclass(frozen=True, slots=True)
class Attached:
    file_name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """`id` is the same for each try, so that whoever gets it twice can tell; `to` is an address of the channel."""

    id: str
    to: str
    subject: str
    text: str
    time: datetime
    attached: Sequence[Attached] = ()


class Channel(Protocol):
    """A way to people."""

    def send(self, letter: Letter) -> None:
        """Raises NotSent, Uncertain."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """`url`: smtp://user:password@host:587?starttls=1 or smtps://...; `sender`: "Dealwright <no-reply@example.com>"."""

    url: str
    sender: str

    def send(self, letter: Letter) -> None:
        message = self.message(letter)
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as problem:
            raise NotSent(type(problem).__name__) from problem
        try:
            self._hand_over(server, letter.to, message)
        finally:
            with suppress(OSError, smtplib.SMTPException):  # what it said before this stands
                server.quit()
            server.close()

    def _hand_over(self, server: smtplib.SMTP, to: str, message: EmailMessage) -> None:
        try:
            server.ehlo_or_helo_if_needed()
            _asked(server.mail(parseaddr(self.sender)[1]))
            _asked(server.rcpt(to))
        except (OSError, smtplib.SMTPException) as problem:
            raise NotSent(type(problem).__name__) from problem
        try:
            _asked(server.data(message.as_bytes(policy=message.policy.clone(linesep="\r\n"))))
        except smtplib.SMTPDataError as problem:  # no to the question whether it may come
            raise NotSent(str(problem.smtp_code), problem.smtp_code >= 500) from problem
        except (OSError, smtplib.SMTPException) as problem:
            raise Uncertain(type(problem).__name__) from problem

    def message(self, letter: Letter) -> EmailMessage:
        made = EmailMessage()
        made["Subject"] = letter.subject
        made["From"] = self.sender
        made["To"] = letter.to
        made["Date"] = format_datetime(letter.time)
        made["Message-ID"] = f"<{letter.id}@{parseaddr(self.sender)[1].rpartition('@')[2] or 'localhost'}>"
        made.set_content(letter.text, cte="base64")
        for one in letter.attached:
            kind, _, detail = one.content_type.partition("/")
            made.add_attachment(one.content, maintype=kind, subtype=detail, filename=one.file_name)
        return made

    def _connected(self) -> smtplib.SMTP:
        url = urlsplit(self.url)
        host, secure = url.hostname or "localhost", url.scheme == "smtps"
        made = smtplib.SMTP_SSL if secure else smtplib.SMTP
        server = made(host, url.port or (465 if secure else 25), timeout=_SECONDS)
        try:
            if not secure and parse_qs(url.query).get("starttls") == ["1"]:
                server.starttls()
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
        except BaseException:
            server.close()
            raise
        return server


def _asked(answer: tuple[int, bytes]) -> None:
    code = answer[0]
    if code >= 400:
        raise NotSent(str(code), code >= 500)


def wait(tries: int, first: timedelta = timedelta(seconds=30), most: timedelta = timedelta(minutes=30)) -> timedelta:
    """How long until the next try, after so many."""
    return min(first * 2.0 ** min(tries, 16), most)
