"""A service with nothing of sales in it, made to be mistreated: what it handled it counts, and events tell it to fail.

It listens to some of `leads`' events only because those exist; what an event asks for stands in its `text`.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path

import sqlalchemy as sa

from chassis.database import Moment
from chassis.service import Service

metadata = sa.MetaData()

# No unique key: handling an event twice shows as two rows.
handled = sa.Table(
    "handled",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("subscriber", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("traceparent", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index("handled_subject", "subject"),
)
newest = sa.Table(
    "newest",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
# `batch` is the moment of the transaction that wrote the row, in microseconds: rows that share one share the other.
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("batch", sa.BigInteger, nullable=False),
)


# SIGUSR1 makes a process write the names of its loaded modules; it survives the `work` role's new start.
if "PROBE_MODULES" in os.environ:

    def _tell_modules(*_: object) -> None:
        path = Path(os.environ["PROBE_MODULES"])
        path.with_suffix(".new").write_text("\n".join(sorted(sys.modules)))
        path.with_suffix(".new").rename(path)

    signal.signal(signal.SIGUSR1, _tell_modules)

# A mistake planted into a process of its own, to see the suite go red.
if "PROBE_DEFECT" in os.environ:
    getattr(importlib.import_module("tests.conformance.defects"), os.environ["PROBE_DEFECT"])()


def _servicers(runtime: object) -> list[object]:
    from tests.conformance.probe_servicer import ProbeServicer

    return [ProbeServicer()]


def _subscribers() -> list[object]:
    from chassis.bus.subscriptions import subscriptions
    from tests.conformance import probe_subscribers

    return list(subscriptions(probe_subscribers))


service = Service(
    # A second one beside the shared one has queues of its own.
    name=os.environ.get("PROBE_NAME", "probe"),
    metadata=metadata,
    migrations="tests.conformance.probe_migrations",
    servicers=_servicers,
    subscribers=_subscribers,  # type: ignore[arg-type]
)
service.tables  # noqa: B018 - attaches the chassis's tables
