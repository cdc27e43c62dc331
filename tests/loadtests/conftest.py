"""One populated cluster for all that is measured on it: eighteen processes take a while to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests import setting
from loadtests.setting import House


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with setting.house() as found:
        yield found
