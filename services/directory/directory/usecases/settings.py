"""What a deployment sets about people and sign-in."""

from __future__ import annotations

import os
import socket
from functools import cache

from pydantic import Field, PrivateAttr

from chassis.settings import Settings


class DirectorySettings(Settings):
    """Times are in seconds. Read once per process."""

    # A person ONLINE by heartbeats goes OFFLINE when none came for so long.
    presence_timeout: float = Field(default=90.0, gt=0)
    # A session that was not used for so long ends.
    session_idle: float = Field(default=12 * 3600.0, gt=0)
    # No session lasts longer.
    session_longest: float = Field(default=7 * 86400.0, gt=0)
    # How long the gateway may keep the answer to ResolveSession.
    session_cache: float = Field(default=5.0, ge=0)
    # Failed sign-ins of one login from one address within the window after which that address tries no more.
    sign_in_failures: int = Field(default=10, ge=1)
    # The same for all logins of one address, which may be a whole office.
    sign_in_failures_per_address: int = Field(default=100, ge=1)
    # Failed sign-ins of one login from anywhere after which each further try of it waits a little longer: nobody can
    # lock another person out.
    sign_in_slow_after: int = Field(default=20, ge=1)
    # The longest such wait.
    sign_in_wait: float = Field(default=4.0, ge=0)
    # The window of all of them.
    sign_in_window: float = Field(default=900.0, gt=0)
    # How long the link of an invitation works.
    invitation_lifetime: float = Field(default=72 * 3600.0, gt=0)
    # How long the link of a password reset works.
    reset_lifetime: float = Field(default=3600.0, gt=0)
    # Where people reach the web client; the links of invitations start with it. Empty: where HOST, PORT and TLS_CERT
    # say that the gateway listens.
    public_url: str = ""

    # The port that the gateway took, where PORT names none.
    _port: int = PrivateAttr(0)

    @property
    def mails(self) -> bool:
        return bool(self.smtp_url.get_secret_value())

    @property
    def site(self) -> str:
        """The start of links, without a slash at its end."""
        return (self.public_url or _own_address(self._port)).rstrip("/")

    def served_on(self, port: int) -> None:
        """The gateway of this very process took this port."""
        self._port = port


def _own_address(port: int) -> str:
    def told(name: str, default: str) -> str:
        return os.environ.get(name) or os.environ.get(f"DEALWRIGHT_{name}") or default

    host = told("HOST", "127.0.0.1")
    if host in ("0.0.0.0", "::"):  # every address of this machine: none that a link could name
        host = socket.gethostname()
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if told('TLS_CERT', '') else 'http'}://{host}:{port or told('PORT', '8080')}"


@cache
def settings() -> DirectorySettings:
    return DirectorySettings()
