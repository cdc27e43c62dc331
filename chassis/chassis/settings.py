"""Settings from the environment (prefix DEALWRIGHT_), typed and checked at the start."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What every role of every service reads. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix="DEALWRIGHT_", extra="ignore")

    data: Path = Path("var")
    # postgresql://... in the cluster; empty means SQLite under `data`.
    database_url: str = ""
    # amqp://... in the cluster; empty means the in-process bus.
    broker_url: str = ""
    # redis://... in the cluster; empty means fakeredis in this process.
    redis_url: str = ""
    # Signs the internal token. The embedded deployment keeps one under `data`.
    token_key: SecretStr = SecretStr("")

    host: str = "127.0.0.1"
    grpc_port: int = 0
    metrics_port: int = 0
    grpc_threads: int = Field(default=96, ge=2, le=512)
    max_message_bytes: int = 4 * 1024 * 1024
    production: bool = False
    company_time_zone: str = "Asia/Shanghai"
    log_level: str = "INFO"
    drain_seconds: float = 10.0
    default_deadline: float = 30.0

    batch_rows: int = 1000
    publish_timeout: float = 10.0
    # A failing event: attempts, then parked; waits double from the first to the last.
    retry_attempts: int = 5
    retry_first_wait: float = 1.0
    retry_last_wait: float = 300.0
    max_depth: int = 8
    keep_days: int = 7
    trace_ratio: float = 0.01

    def peer(self, service: str) -> str:
        """Address of another service's gRPC port: DEALWRIGHT_PEER_LEADS=leads:50051."""
        import os

        return os.environ.get(f"DEALWRIGHT_PEER_{service.upper().replace('-', '_')}", f"{service}:50051")


@cache
def embedded_token_key(data: Path) -> str:
    """A key of this installation's own, made once and kept readable by its owner alone."""
    path = data / "token.key"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()
