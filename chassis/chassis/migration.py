"""Brings a service's database to the schema of its code (the `migrate` role; the embedded deployment at every start).

Versions expand first and contract in a later release, so that old and new processes run side by side.
"""

from __future__ import annotations

import logging
import os
from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import chassis.migrations
from chassis.service import Runtime

_LOCK = 0x6465616C  # any number of our own: one migration at a time per database


def migrate(runtime: Runtime, *versions: str) -> None:
    """Runs what is missing of the chassis's and the service's versions, in one transaction, then the service's seed.
    `versions`: no further than to these, and without the seed."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    locations = [str(files("chassis.migrations") / "versions"), str(files(runtime.service.migrations) / "versions")]
    config = Config()
    config.set_main_option("script_location", os.path.dirname(str(chassis.migrations.__file__)))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(locations))
    config.attributes["metadata"] = runtime.service.metadata
    with runtime.database.write() as connection:
        if not runtime.database.is_sqlite:
            connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = connection
        for version in versions or ("heads",):
            command.upgrade(config, version)
    if runtime.service.seed is not None and not versions:
        with runtime.transaction() as tx:
            runtime.service.seed(tx)
