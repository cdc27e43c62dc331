"""Passwords that are hashed at next to no cost: what one costs in production is known to tests/directory."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from directory.usecases import passwords

IN_PRODUCTION = passwords._hasher


def cheap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
