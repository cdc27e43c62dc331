"""The house in which everything is measured, one after the other, as `make bench` does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests import setting
from loadtests.setting import House


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A populated cluster. Whoever wants to have it to himself looks at what is added to it."""
    with setting.house() as made:
        yield made
