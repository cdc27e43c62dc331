"""The directory service: people, teams, roles, sign-in, presence, working calendars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.service import Loop, Runtime, Service
from chassis.transaction import Transaction
from directory.storage.tables import metadata


def _servicers(runtime: Runtime) -> Sequence[Any]:
    from directory.servicer import BlueprintServicer, DirectoryServicer

    return [DirectoryServicer(runtime), BlueprintServicer()]


def _loops() -> Sequence[Loop]:
    from directory.usecases import calendars, mails, presence, sessions, teams

    return [
        Loop("presence", presence.look_every(), presence.expire),
        Loop("mails", 2.0, mails.send_due),
        Loop("expired sessions", 600.0, sessions.drop_expired),
        Loop("purge teams", 3600.0, teams.purge),
        Loop("purge calendars", 3600.0, calendars.purge),
    ]


def _seed(tx: Transaction) -> None:
    from directory.usecases import first_start

    first_start.seed(tx)


service = Service(
    name="directory",
    metadata=metadata,
    migrations="directory.migrations",
    servicers=_servicers,
    loops=_loops,
    seed=_seed,
)
