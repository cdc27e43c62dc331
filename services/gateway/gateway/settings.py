"""What the gateway reads from the environment, beside what every service reads. Times are in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import Settings


def _named(name: str, default: Any) -> Any:
    """A setting that people know by its bare name (HOST, PORT, TLS_CERT), as the public surface promises."""
    return Field(default=default, validation_alias=AliasChoices(name, f"DEALWRIGHT_{name}"))


class GatewaySettings(Settings):
    model_config = SettingsConfigDict(env_prefix="DEALWRIGHT_", extra="ignore", populate_by_name=True)

    # Where REST and the feed listen.
    http_host: str = _named("HOST", "127.0.0.1")
    # 0 takes any free port.
    http_port: int = _named("PORT", 8080)
    # The gRPC front door. Not `grpc_port`, which is the port of a service's own server.
    front_door_port: int = _named("GRPC_PORT", 50051)
    # Certificate chain (PEM); with it and the key the gateway speaks HTTPS.
    tls_cert: Path | None = _named("TLS_CERT", None)
    # Its private key (PEM).
    tls_key: Path | None = _named("TLS_KEY", None)
    # Addresses of proxies whose X-Forwarded-For is believed: "10.0.0.7" or "*", comma separated.
    trusted_proxies: str = ""

    # The largest body of a request.
    max_body_bytes: int = 4 * 1024 * 1024
    # The largest blueprint as YAML, which is read much slower than JSON.
    max_yaml_bytes: int = 512 * 1024

    # Files on their way in or out of a process; each is in memory for a while.
    files_at_once: int = Field(default=4, ge=1)

    # Requests per minute of one session; 0 switches a limit off, here and below.
    session_rate: int = Field(default=600_000, ge=0)
    # Requests without a session, per address.
    address_rate: int = Field(default=300, ge=0)
    # POST /v1/sessions and password resets, per address.
    sign_in_rate: int = Field(default=60, ge=0)
    # A form that sets no rate of its own, per address.
    form_rate: int = Field(default=30, ge=0)
    # Links by which customers open their quotes, per address.
    link_rate: int = Field(default=60, ge=0)

    # How often a gateway tells how it is used; what it counted since is lost where it dies.
    usage_seconds: float = Field(default=60.0, gt=0)

    # The Redis stream of the live feed.
    feed_stream: str = "dealwright:feed"
    # How many events a listener may be behind when it comes back.
    feed_length: int = 10_000
    # A comment goes out when nothing did for so long.
    feed_heartbeat: float = 15.0
    # Events that may wait for one slow reader before it is cut off; it resumes by Last-Event-ID.
    feed_waiting: int = 2_000
    # Listeners of one process.
    feed_connections: int = 5_000
    # A session is asked for again after this, whatever the directory allows; what ends or changes it is heard of at
    # once, unless Redis is away.
    session_cache: float = 5.0
