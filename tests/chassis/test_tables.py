"""The chassis's tables, beside each service's own."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import sqlalchemy as sa

from chassis.tables import ChassisTables, attach


def test_loops_that_begin_side_by_side_see_all_tables() -> None:
    pace = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            metadata, together = sa.MetaData(), Barrier(4)

            def begin(metadata: sa.MetaData = metadata, together: Barrier = together) -> ChassisTables:
                together.wait()
                return attach(metadata)

            with ThreadPoolExecutor(4) as loops:
                found = [one.result() for one in [loops.submit(begin) for _ in range(4)]]
            assert found == [attach(metadata)] * 4
    finally:
        sys.setswitchinterval(pace)
