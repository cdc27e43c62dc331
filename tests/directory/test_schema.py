"""Migrations make exactly the tables the code speaks of, and a first start fills them once."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis.migration import migrate
from directory.main import service
from directory.usecases import first_start


def test_migrations_and_tables_agree(any_house: Any) -> None:
    with any_house.runtime.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [d for d in compare_metadata(context, service.metadata) if "alembic_version" not in str(d)]
    assert found == []


def test_a_first_start_adds_an_administrator_and_a_sample_salesperson_once(any_house: Any) -> None:
    people = any_house.admin.ListPeople().people
    assert sorted((p.login, p.role) for p in people) == [("admin", "admin"), ("sample", "sales")]
    events = len(any_house.events("PersonChanged"))
    with any_house.runtime.transaction() as tx:
        assert not first_start.first_start(tx, "another password")
    migrate(any_house.runtime)
    assert len(any_house.events("PersonChanged")) == events == 2
    assert len(any_house.events("RoleChanged")) == 5
    assert len(any_house.events("CalendarChanged")) == 1


def test_every_change_leaves_an_audit_row_with_its_actor_and_no_personal_data(house: Any) -> None:
    house.add("zhang", email="zhang@example.com")
    log = service.tables.audit_log
    with house.runtime.reading() as tx:
        rows = tx.execute(sa.select(log.c.actor, log.c.action, log.c.subject, log.c.detail)).all()
    created = [r for r in rows if r.action == "person.created"][-1]
    assert created.actor == house.principal(house.admin_token).person
    assert not any("zhang" in str(r) for r in rows)


def test_the_work_role_never_loads_grpc() -> None:
    script = (
        "import sys\nfrom directory.main import service\nservice.loops(); service.subscribers()\n"
        "sys.exit('grpc' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
