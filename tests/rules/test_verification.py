"""What verification finds, how it goes in pages, and what a damaged snapshot may not do."""

from __future__ import annotations

import gc
import itertools
import threading
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.access import peer
from chassis.errors import Invalid, Refused
from chassis.rpc import Call
from chassis.transaction import Origin
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.rules.v1 import rules_pb2
from embedded import inspection
from rules.domain.chain import GENESIS, seal, verify
from rules.domain.codec import encode
from rules.domain.entries import TurnReturned
from rules.servicer import RuleServicer
from rules.storage import journal, journal_head
from rules.usecases import journal as journals
from tests.rules.house import House, lead
from tests.rules.meddling import another_process, change, edited_with_care, stored
from tests.rules.story import Story

ADMIN = peer("test")


# --- columns and time ---


@pytest.mark.parametrize("column", ["kind", "subject", "at"])
def test_an_edited_column_beside_an_entry_is_named(house: House, column: str) -> None:
    house.hire("a", "b")
    house.capture(1, 2, 3)
    assert house.verify().first_wrong_entry == 0
    values = {"kind": "load", "subject": "somebody", "at": house.now.replace(year=2020)}
    with house.runtime.database.write() as connection:
        connection.execute(sa.update(journal).where(journal.c.seq == 5).values({column: values[column]}))
    report = house.verify()
    assert (report.first_wrong_entry, report.problem[:7]) == (5, "COLUMNS")
    if house.runtime.database.is_sqlite:  # which keeps whatever is put there
        with house.runtime.database.write() as connection:
            connection.execute(sa.text(f"update journal set {column} = 'x' where seq = 4"))
        assert house.verify().first_wrong_entry == 4


def test_time_that_runs_backwards_is_named_by_verification_and_by_the_checker() -> None:
    story = Story()
    story.person("a")
    story.owners(1)
    story.pass_time(minutes=-1)
    story.owners(1)
    records = story.records()
    report = verify(records)
    assert (report.wrong, report.reason[:4]) == (3, "TIME")
    assert any("time runs backwards" in text for text in story.findings().wrong)


def test_whoever_waited_for_the_journal_decides_as_of_its_last_entry(house: House) -> None:
    """Midnight in Shanghai: a process that began before it gets the lock after one that began later."""
    house.hire("a", capacity={"per_day": 1})
    house.hire("b", presence="OFFLINE")
    before = house.now.replace(hour=15, minute=59, second=59)
    after = before.replace(hour=16, minute=0, second=1)
    house.now = after
    assert house.capture(1) == ["a"]
    house.now = before
    assert house.capture(2) == [""]
    house.hire("a", region="华东", capacity={"per_day": 1})
    house.presence("b", "AWAY")
    house.calendar("night", [(d, "00:00", "24:00") for d in range(1, 8)])
    house.publish(timeZone="Asia/Shanghai", chargeManualMoves=True)
    house.tell(house.moved(1, "b", 2, "MANUAL", "a"), house.released(2, "a", 1))
    house.tell(house.captured(3), house.captured(4))
    house.now = after
    assert house.capture(5) == [""]
    moments = [entry.at for entry in house.entries()]
    assert moments == sorted(moments)
    house.assert_sound()


# --- pages ---


def pages(house: House, size: int) -> list[rules_pb2.VerifyJournalResponse]:
    found, following = [], 1
    while following:
        count = itertools.count(1)
        found.append(house.verify(following, lambda count=count: next(count) < size))  # type: ignore[misc]
        following = found[-1].next_entry
    return found


def test_a_long_history_is_verified_in_pages_that_any_process_can_continue(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_EVERY", 300)
    house.hire("a", "b", "c")
    for start in range(0, 1200, 100):
        house.capture(*range(start, start + 100))
    with house.reading() as tx:
        head = tx.execute(sa.select(journal_head.c.hash)).scalar_one()
    whole = house.verify()
    found = pages(house, 1)
    assert len(found) > 3
    assert sum(p.entries for p in found) == whole.entries == len(house.entries())
    assert sum(p.decisions for p in found) == whole.decisions == 1200
    assert found[-1].head_hash == whole.head_hash == bytes(head).hex()
    with another_process(house, tmp_path) as other:
        second = other.verify(found[0].next_entry)
    assert found[0].entries + second.entries == whole.entries
    assert found[0].decisions + second.decisions == whole.decisions
    # It began at the snapshot before, not at the first entry; and it still finds what is wrong, and where.
    with house.runtime.database.write() as connection:
        connection.execute(sa.update(journal).where(journal.c.seq == 1000).values(hash=b"x" * 32))
    with another_process(house, tmp_path) as other:
        assert other.verify(700).first_wrong_entry == 1000
        assert other.verify(1100).first_wrong_entry == 1000
    assert [p.first_wrong_entry for p in pages(house, 1)][-1] == 1000
    with pytest.raises(Invalid):
        house.verify(-1)


def test_a_page_that_begins_with_a_wrong_snapshot_does_not_call_the_journal_wrong(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_EVERY", 30)
    house.hire("a", "b", "c")
    for number in range(1, 101):
        house.capture(number)
    row = stored(house)[-1]
    change(house, row.seq, **edited_with_care(row))
    with another_process(house, tmp_path) as other:
        report = other.verify(row.seq + 1)
    assert (report.first_wrong_entry, list(report.wrong_snapshots)) == (0, [row.seq])


def test_a_turn_that_comes_back_is_looked_up_where_it_was_dealt(house: House, tmp_path: Path) -> None:
    house.hire("a", "b")
    house.capture(1, 2, 3)
    decision = house.ownership(2).decision  # type: ignore[union-attr]
    house.tell(lead_events.AssignmentRefused(lead=lead(2), owner="people/b", decision=decision, reason="OWNER_CHANGED"))
    assert house.verify().first_wrong_entry == 0
    entries = house.entries()
    returned = entries[-1]
    assert isinstance(returned, TurnReturned)
    for forged in (
        [*entries, returned],
        [*entries[:-1], replace(returned, decision=decision - 1)],
        [*entries[:-1], replace(returned, person="a")],
    ):
        with house.runtime.database.write() as connection:
            rows = {r.seq: r for r in connection.execute(sa.select(journal))}
            connection.execute(sa.delete(journal))
            for record in seal(GENESIS, 1, map(encode, forged)):
                like = rows[min(record.seq, len(entries))]
                values = {"seq": record.seq, "body": record.data, "hash": record.hash}
                connection.execute(
                    sa.insert(journal).values(at=like.at, kind=like.kind, subject=like.subject, **values)
                )
            connection.execute(sa.update(journal_head).values(seq=record.seq, hash=record.hash))
        report = house.verify()
        assert (report.first_wrong_entry, report.problem[:4]) == (len(forged), "TURN")


def test_one_verification_runs_at_a_time_and_ends_in_time(house: House) -> None:
    servicer = RuleServicer(house.runtime)
    request = rules_pb2.VerifyJournalRequest()
    inside, done = threading.Event(), threading.Event()

    def go_on() -> bool:
        inside.set()
        return not done.wait(10)

    house.hire("a", "b")
    house.capture(*range(1, 601))
    runs = threading.Thread(target=lambda: house.verify(1, go_on))
    runs.start()
    assert inside.wait(10)
    with pytest.raises(Refused) as problem:
        servicer.VerifyJournal(Call(request, ADMIN, Origin()))
    assert (problem.value.reason, problem.value.code) == ("VERIFYING", "RESOURCE_EXHAUSTED")
    done.set()
    runs.join()
    # A caller who has gone, or whose time is up, is not worked for.
    for call in (
        Call(request, ADMIN, Origin(), waits=lambda: False),
        Call(request, ADMIN, Origin(), deadline=time.monotonic()),
    ):
        page = servicer.VerifyJournal(call)
        assert 0 < page.next_entry < len(house.entries())
        assert page.first_wrong_entry == 0
    rest = servicer.VerifyJournal(Call(rules_pb2.VerifyJournalRequest(from_entry=page.next_entry), ADMIN, Origin()))
    assert page.entries + rest.entries == len(house.entries())
    assert rest.next_entry == 0


def test_the_command_verifies_page_by_page_and_names_wrong_entries_and_snapshots(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_EVERY", 300)
    monkeypatch.setattr(inspection, "runtimes", lambda: [house.runtime])
    monkeypatch.setattr(inspection, "_PAGE_SECONDS", 0.0)
    house.hire("a", "b")
    for start in range(0, 1000, 100):
        house.capture(*range(start, start + 100))
    assert inspection.verify_rules() == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "1003 entries, 1000 decisions: every one re-derives."
    assert len(told) == 4
    assert all("so far" in line for line in told[:-1])
    change(house, stored(house)[0].seq, state=b"[]")
    assert inspection.verify_rules() == 1
    assert "snapshot" in capsys.readouterr().out.splitlines()[-1]
    with house.runtime.database.write() as connection:
        connection.execute(sa.update(journal).where(journal.c.seq == 900).values(subject="x"))
    assert inspection.verify_rules() == 1
    assert "Entry 900 is wrong: COLUMNS" in capsys.readouterr().out


def test_verification_keeps_no_decision_in_memory(house: House) -> None:
    house.hire("a", "b", "c")

    def grown(first: int, last: int) -> tuple[int, float]:
        for start in range(first, last, 500):
            house.tell(*(house.captured(n) for n in range(start, min(start + 500, last))))
        house.verify()
        gc.collect()
        tracemalloc.start()
        house.verify()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        started = time.perf_counter()
        entries = house.verify().entries
        return peak, entries / (time.perf_counter() - started)

    small, _ = grown(0, 2000)
    large, speed = grown(2000, 7000)
    print(f"\nfigure: verification, peak memory with 2 000 / 7 000 decisions: {small >> 10} / {large >> 10} kB, "
          f"{speed:.0f} entries/s")  # fmt: skip
    assert large < small + 500_000  # a hundred bytes a decision
