"""Settings from the environment (prefix DEALWRIGHT_), typed and checked at the start."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis import ids

_BESIDE_A_FILE = 256 * 1024


class Settings(BaseSettings):
    """What every role of every service reads. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix="DEALWRIGHT_", extra="ignore")

    # Folder of the SQLite files and of this installation's key; `dealwright up` takes it from DATA.
    data: Path = Path("var")
    # postgresql://... in the cluster; empty means SQLite under `data`.
    database_url: str = ""
    # amqp://... in the cluster; empty means the in-process bus.
    broker_url: str = ""
    # redis://... in the cluster; empty means fakeredis in this process.
    redis_url: str = ""
    # Signs the internal token. The embedded deployment keeps one under `data`.
    token_key: SecretStr = SecretStr("")

    # Where a service's own ports listen.
    host: str = "127.0.0.1"
    # 0 takes any free port, here and below.
    grpc_port: int = 0
    # Health, readiness and metrics of a process.
    metrics_port: int = 0
    # Calls that a `serve` process works on at once.
    grpc_threads: int = Field(default=96, ge=2, le=512)
    # The largest request; answers may have four times as much.
    max_message_bytes: int = 4 * 1024 * 1024
    # The largest file that people upload.
    max_upload_bytes: int = Field(default=20 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    # Switches gRPC reflection off.
    production: bool = False
    # Decides what "today" is.
    company_time_zone: str = "Asia/Shanghai"
    # smtp://user:password@host:587?starttls=1 or smtps://...; empty: no mail goes out, invitations hand out links.
    smtp_url: SecretStr = SecretStr("")
    # The sender of mails.
    mail_from: str = "Dealwright <no-reply@localhost>"
    log_level: str = "INFO"
    # How long calls under way may take when a process is to stop.
    drain_seconds: float = 10.0
    # The time that a call has when its caller sets none, and the most it may have.
    default_deadline: float = 30.0

    # The most calls that share a transaction.
    batch_rows: int = 1000
    # How long the broker may take to confirm a message.
    publish_timeout: float = 10.0
    # How often a failing event is tried before it is parked.
    retry_attempts: int = 5
    # Before its second try; each further wait is four times as long.
    retry_first_wait: float = 1.0
    # No wait is longer.
    retry_last_wait: float = 300.0
    # An event caused at this depth goes round in a circle and is parked.
    max_depth: int = 8
    # How long inbox rows and answers to request_ids are kept.
    keep_days: int = 7
    # The share of calls that are traced, where OTEL_EXPORTER_OTLP_ENDPOINT is set.
    trace_ratio: float = 0.01

    @property
    def largest_request(self) -> int:
        """Between the gateway and the services: a file with what is said of it, or any other request."""
        return max(self.max_message_bytes, self.max_upload_bytes + _BESIDE_A_FILE)

    @property
    def largest_answer(self) -> int:
        return max(4 * self.max_message_bytes, self.largest_request)

    def peer(self, service: str) -> str:
        """Address of another service's gRPC port: DEALWRIGHT_PEER_LEADS=leads:50051."""
        return os.environ.get(f"DEALWRIGHT_PEER_{service.upper().replace('-', '_')}", f"{service}:50051")


@cache
def embedded_token_key(data: Path) -> str:
    """A key of this installation's own, made once and kept readable by its owner alone."""
    path = data / "token.key"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(ids.new_secret(48))
    return path.read_text()
