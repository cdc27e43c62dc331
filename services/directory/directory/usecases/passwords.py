"""Passwords: argon2id, checked in the same time whether or not the login exists.

Nothing here runs inside a write transaction: a hash takes tens of milliseconds, and SQLite has one writer.
"""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis import ids
from chassis.errors import exhausted

# OWASP's first choice for argon2id: 46 MiB, one pass, one lane. A block of that size goes back to the system at once;
# smaller ones stayed with the allocator, 19 MiB for each thread that had ever hashed.
_hasher = PasswordHasher(time_cost=1, memory_cost=47104, parallelism=1)
# A flood of sign-ins must wait in line, not exhaust the memory: this is as many cores as they may take, too.
_slots = threading.BoundedSemaphore(2)
_LONGEST_WAIT = 10.0


def _enter() -> None:
    if not _slots.acquire(timeout=_LONGEST_WAIT):
        raise exhausted("Too many sign-ins at once; try again.", "登录请求过多，请稍后重试。")


def hashed(password: str) -> str:
    """The argon2id text to store. RESOURCE_EXHAUSTED when too many wait."""
    _enter()
    try:
        return _hasher.hash(password.encode("utf-8", "surrogatepass"))
    finally:
        _slots.release()


@cache
def _nobodys() -> str:
    return hashed(ids.new_secret(32))


def matches(stored: str, password: str) -> bool:
    """Whether it is the password; as slow for an empty `stored` (no such login, no password) as for a wrong one."""
    against = stored or _nobodys()
    _enter()
    try:
        right = _hasher.verify(against, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    finally:
        _slots.release()
    return right and bool(stored)


def outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)
