"""The one place that makes identifiers and secrets."""

import re
import secrets

import uuid_utils

_ID = re.compile("[0-9a-f]{32}")


def new_id() -> str:
    """A UUIDv7 (RFC 9562) as 32 lower-case hex digits; each sorts after those this process made before."""
    return uuid_utils.uuid7().hex


def new_ids(count: int) -> list[str]:
    """`count` ids, rising, as `new_id` makes them."""
    make = uuid_utils.uuid7
    return [make().hex for _ in range(count)]


def is_id(text: str) -> bool:
    """Whether this is written as an id is."""
    return _ID.fullmatch(text) is not None


def new_secret(size: int = 32) -> str:
    """A secret of `size` random bytes as URL-safe text without padding (43 characters for 32 bytes)."""
    return secrets.token_urlsafe(size)


def made_at(made: str) -> float:
    """When an id was made (seconds since 1970, to the millisecond)."""
    return int(made[:12], 16) / 1000


def first_id_at(seconds: float) -> str:
    """The smallest id that could be made at this moment (seconds since 1970): older ids sort before it."""
    return f"{int(seconds * 1000):012x}7{'0' * 19}"
