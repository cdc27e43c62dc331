"""Proof that the drill's check of deals can find what it looks for: planted defects, and edited databases."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.books import check_books
from tests.faults.check import unsettled
from tests.faults.deals import Answered, Desks
from tests.faults.drill import wait_settled
from tests.faults.house import staffed
from tests.faults.load import insist
from tests.faults.systems import PASSWORD, SERVICES, EmbeddedSystem

_DEALS = 3


def _worked(folder: Path, plant: str, paid: int, kill: bool = False) -> tuple[EmbeddedSystem, Answered]:
    """A system on which the desks made so many deals, ended; and what was answered."""
    answered = Answered()
    with EmbeddedSystem(folder, "9", plant) as system:
        admin = insist(system.url, "/v1/sessions", {"login": "admin", "password": PASSWORD})["token"]
        desks = Desks(system.url, staffed(system.url, admin, PASSWORD), admin, "9", answered)
        desks.start()
        desks.wait(paid, 60)
        if kill:
            system.kill(system.victims[0])
            system.restart(system.victims[0])
        desks.stop()
        assert wait_settled(system, 40), unsettled(system.databases)
    return system, answered


@pytest.mark.parametrize(
    ("plant", "sign"),
    [
        ("payment counted twice", "PAID"),
        ("approval decided twice", "DECIDED TWICE"),
        ("share copy not ended", "SHARE"),
        ("timeline entry lost", "TIMELINE"),
        ("number reused", "NUMBER"),
    ],
)
def test_a_defect_planted_in_a_deal_turns_the_drill_red(plant: str, sign: str, tmp_path: Path) -> None:
    system, answered = _worked(tmp_path, plant, _DEALS)
    wrong = check_books(system.databases, answered).wrong
    assert any(text.startswith(sign) for text in wrong), f"{plant} was not seen; what was: {wrong[:20]}"


_EDITS = {
    "a customer too few": ("customers", "DELETE FROM customers WHERE name = :customer", "LOST|COPY"),
    "a deal twice": (
        "opportunities",
        "UPDATE opportunities SET title = (SELECT min(title) FROM opportunities)",
        "TWICE",
    ),
    "a deal too few": ("opportunities", "DELETE FROM opportunities WHERE name = :deal", "LOST|NUMBER|COPY"),
    "a move too few": ("opportunities", "DELETE FROM stage_changes WHERE id = :move", "MOVES|TIMELINE"),
    "a follow-up too few": ("activities", "DELETE FROM follow_ups WHERE name = :follow_up", "TOLD|TIMELINE|COPY"),
    "an attachment elsewhere": ("activities", "UPDATE attachments SET record = 'opportunities/x'", "TOLD|TIMELINE"),
    "another number": ("contracts", "UPDATE contracts SET number = 'C-1' WHERE name = :contract", "NUMBER"),
    "a number of two quotes": (
        "contracts",
        "UPDATE quotes SET revision = rowid, number = (SELECT min(number) FROM quotes)",
        "NUMBER",
    ),
    "an approval that was not announced": (
        "contracts",
        "DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox WHERE type LIKE '%ApprovalDecided')",
        "DECIDED|TIMELINE",
    ),
    "an approval announced twice": (
        "contracts",
        "UPDATE outbox SET body = CAST(body || body AS BLOB) WHERE type LIKE '%ApprovalDecided'",
        "DECIDED",
    ),
    "an approval that came out otherwise": ("contracts", "UPDATE approvals SET status = 3", "DECIDED|COPY"),
    "a quote that did not hear": ("contracts", "UPDATE quotes SET status = 2", "DECIDED"),
    "somebody else who decided": (
        "contracts",
        'UPDATE approvals SET steps = replace(steps, \'"person":"people/\', \'"person":"people/x\')',
        "DECISION",
    ),
    "a payment too few": ("contracts", "DELETE FROM payments WHERE name = :payment", "PAID|PAYMENT|ANNOUNCED"),
    "another amount": ("contracts", "UPDATE payments SET amount = amount + 1 WHERE name = :payment", "PAID|PAYMENT"),
    "another sum": ("contracts", "UPDATE contracts SET paid = paid + 1 WHERE name = :contract", "PAID"),
    "another contract": ("contracts", "UPDATE contracts SET amount = amount + 1 WHERE name = :contract", "BALANCE"),
    "an instalment that was not paid": ("contracts", "UPDATE instalments SET paid = paid - 1", "PAID"),
    "an invoice too many": ("contracts", "UPDATE invoices SET amount = amount + 1", "INVOICED"),
    "a payment that was announced twice": (
        "contracts",
        "UPDATE outbox SET body = CAST(body || body AS BLOB) WHERE type LIKE '%PaymentReceived'",
        "ANNOUNCED",
    ),
    "a signature too few": ("contracts", "UPDATE contracts SET status = 3 WHERE name = :contract", "SIGNED|VIP"),
    "another sum of a customer": ("customers", "UPDATE customers SET signed_amount = signed_amount + 1", "VIP"),
    "a VIP too many": ("customers", "UPDATE customers SET vip = NOT vip", "VIP"),
    "a share that goes on": ("opportunities", _LATER := "UPDATE shares SET end_time = end_time + 1", "SHARE"),
    "a share that goes on in the copy": ("activities", _LATER, "SHARE"),
    "a share too few": ("opportunities", "DELETE FROM shares WHERE opportunity = :shared", "SHARE"),
    "a reader too few": ("activities", "DELETE FROM collaborators WHERE record = :deal", "COLLABORATOR"),
    "a task too few": ("activities", "DELETE FROM tasks WHERE name = :task", "TASK|COPY"),
    "a task twice": ("activities", "UPDATE tasks SET owner = :owner, part = :part, record = :working", "TASK"),
    "an entry too few": ("activities", "DELETE FROM timeline WHERE key = :entry", "TIMELINE"),
    "an entry twice": (
        "activities",
        "INSERT INTO timeline SELECT 'x' || key, {} FROM timeline WHERE key = :entry",
        "TIMELINE",
    ),
    "an entry of another time": ("activities", "UPDATE timeline SET happen_time = 1 WHERE key = :entry", "TIMELINE"),
    "an entry of another record": ("activities", "UPDATE timeline SET record = 'x' WHERE key = :entry", "TIMELINE"),
    "an old copy of a deal": ("contracts", "UPDATE parties SET version = 0 WHERE name = :deal", "COPY"),
    "an old copy of a record": ("activities", "UPDATE records SET owner = 'x' WHERE name = :contract", "COPY"),
    "a lost copy": ("opportunities", "DELETE FROM parties WHERE name = :customer", "COPY"),
    "an approval that stands otherwise in a copy": ("opportunities", "UPDATE related SET state = 'x'", "COPY"),
    "a copy of a signature too few": ("customers", "DELETE FROM signed_contracts WHERE contract = :contract", "COPY"),
}
_NAMES = {
    "customer": ("customers", "SELECT min(name) FROM customers"),
    "deal": ("opportunities", "SELECT max(opportunity) FROM collaborators"),
    "move": ("opportunities", "SELECT min(id) FROM stage_changes WHERE to_stage = 'quote'"),
    "shared": ("opportunities", "SELECT min(opportunity) FROM shares"),
    "follow_up": ("activities", "SELECT min(name) FROM follow_ups"),
    "entry": ("activities", "SELECT min(key) FROM timeline WHERE kind = 5"),
    "task": ("activities", "SELECT min(name) FROM tasks WHERE kind = 2"),
    "owner": ("activities", "SELECT min(owner) FROM tasks WHERE kind = 2"),
    "part": ("activities", "SELECT min(part) FROM tasks WHERE kind = 2"),
    "working": ("activities", "SELECT min(record) FROM tasks WHERE kind = 2"),
    "contract": ("contracts", "SELECT min(contract) FROM payments"),
    "payment": ("contracts", "SELECT min(name) FROM payments WHERE amount > 0"),
}


@pytest.fixture(scope="module")
def after_deals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answered]:
    """The databases after some deals, a kill in the midst of them, and what was answered."""
    folder = tmp_path_factory.mktemp("dealt")
    system, answered = _worked(folder, "", _DEALS, kill=True)
    tally = check_books(system.databases, answered)
    assert not tally.wrong
    assert all(tally.counts().values()), tally
    return folder / "data", answered


def _copies(data: Path, folder: Path) -> dict[str, sa.Engine]:
    for service in SERVICES:
        shutil.copy(data / f"{service}.db", folder)
    return {service: sa.create_engine(f"sqlite:///{folder / service}.db") for service in SERVICES}


@pytest.mark.parametrize("edit", _EDITS)
def test_what_differs_in_the_books_of_deals_is_named(
    after_deals: tuple[Path, Answered], edit: str, tmp_path: Path
) -> None:
    data, answered = after_deals
    copies = _copies(data, tmp_path)
    service, sql, signs = _EDITS[edit]
    values = {}
    for name, (on, query) in _NAMES.items():
        if f":{name}" in sql:
            with copies[on].connect() as connection:
                values[name] = connection.execute(sa.text(query)).scalar_one()
    with copies[service].begin() as connection:
        if "{}" in sql:
            columns = connection.execute(sa.text("SELECT * FROM timeline LIMIT 0")).keys()
            sql = sql.format(", ".join(name for name in columns if name != "key"))
        assert connection.execute(sa.text(sql), values).rowcount
    wrong = check_books(copies, answered).wrong
    for database in copies.values():
        database.dispose()
    for sign in signs.split("|"):
        assert any(text.startswith(sign) for text in wrong), wrong[:9]


def test_nothing_is_named_in_books_that_nobody_edited(after_deals: tuple[Path, Answered], tmp_path: Path) -> None:
    assert check_books(_copies(after_deals[0], tmp_path), after_deals[1]).wrong == []
