"""What there is once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from chassis.errors import Problem


@contextmanager
def unique(otherwise: Problem) -> Iterator[None]:
    """Raises `otherwise` where the database says that there is one already."""
    try:
        yield
    except sa.exc.IntegrityError as problem:
        raise otherwise from problem
