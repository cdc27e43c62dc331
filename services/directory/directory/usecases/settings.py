"""What a deployment sets about people and sign-in."""

from __future__ import annotations

from functools import cache

from pydantic import Field, SecretStr

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
    # Failed sign-ins within the window after which no more are tried.
    sign_in_failures: int = Field(default=10, ge=1)
    # The same for one address, which may be a whole office.
    sign_in_failures_per_address: int = Field(default=100, ge=1)
    # The window of both.
    sign_in_window: float = Field(default=900.0, gt=0)
    # How long the link of an invitation works.
    invitation_lifetime: float = Field(default=72 * 3600.0, gt=0)
    # How long the link of a password reset works.
    reset_lifetime: float = Field(default=3600.0, gt=0)
    # smtp://user:password@host:587?starttls=1 or smtps://...; empty: links are handed out instead.
    smtp_url: SecretStr = SecretStr("")
    # The sender of mails.
    mail_from: str = "Dealwright <no-reply@localhost>"
    # Where people reach the web client; links in mails start with it.
    public_url: str = "http://127.0.0.1:8080"

    @property
    def mails(self) -> bool:
        return bool(self.smtp_url.get_secret_value())


@cache
def settings() -> DirectorySettings:
    return DirectorySettings()
