"""What anybody can check: certificates, ledgers, verification, snapshots, simulation, and who may see what."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.access import Grant, Principal, Scope, peer
from chassis.errors import Invalid, NotFound
from chassis.transaction import Transaction
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import storage
from rules.domain.chain import GENESIS, Record, seal
from rules.domain.policy import to_plain
from rules.main import service
from rules.servicer import RuleServicer
from rules.storage import journal, snapshots
from rules.usecases import journal as journals
from tests.rules.house import House, furnish, lead, open_runtime

ADMIN = peer("test")


def who(person: str, scope: Scope, *teams: str) -> Principal:
    grant = Grant(scope, scope)
    return Principal(f"people/{person}", "sales", "", teams, {"leads": grant, "ledgers": grant})


def ask(house: House, method: str, request: Message, principal: Principal = ADMIN) -> Any:
    with house.reading(principal) as tx:
        return getattr(RuleServicer(house.runtime), method)(tx, request)


def decisions(house: House, number: int, principal: Principal = ADMIN, **page: Any) -> list[rules_pb2.Decision]:
    request = rules_pb2.ListDecisionsRequest(parent=lead(number), **page)
    return list(ask(house, "ListDecisions", request, principal).decisions)


def test_migrations_and_tables_agree(house: House) -> None:
    inspector = sa.inspect(house.runtime.database.engine)
    for table in service.metadata.sorted_tables:
        stored = {c["name"]: c["nullable"] for c in inspector.get_columns(table.name)}
        assert stored == {c.name: c.nullable for c in table.columns if not c.primary_key} | {
            c.name: False for c in table.columns if c.primary_key
        }
        indexes = {i["name"] for i in inspector.get_indexes(table.name)}
        assert {i.name for i in table.indexes} <= indexes


def test_L13_a_decision_is_explained_with_everybody_passed_over_and_the_credits(house: House) -> None:
    house.hire("a", "b", "c", region="华东")
    house.presence("b", "AWAY")
    house.capture(1, region="华东")
    house.capture(2, region="华东")
    (decision,) = decisions(house, 2)
    assert (decision.owner, decision.step, decision.policy.version) == ("people/c", "roster", 1)
    assert {c.person: (c.outcome, c.reason) for c in decision.candidates} == {
        "people/a": (rules_pb2.Decision.Candidate.PASSED_OVER, "NOT_THEIR_TURN"),
        "people/b": (rules_pb2.Decision.Candidate.PASSED_OVER, "AWAY"),
        "people/c": (rules_pb2.Decision.Candidate.CHOSEN, ""),
    }
    assert decision.ledger_before == {"people/a": -0.5, "people/c": 0.5}
    assert decision.ledger_after == {"people/a": 0, "people/c": 0}
    assert [s.outcome for s in decision.steps][-1] == "CHOSE"
    assert decision.facts["region"] == "华东"
    assert decisions(house, 99) == []
    for wrong in ("leads/1", "people/x", "leads/" + "G" * 32):
        with pytest.raises(NotFound):
            ask(house, "ListDecisions", rules_pb2.ListDecisionsRequest(parent=wrong))


def test_decisions_come_newest_first_in_pages_and_a_returned_one_says_so(house: House) -> None:
    house.hire("a", "b", "c", "d")
    house.capture(1)
    for version, previous, owners in ((1, "a", ["a"]), (2, "b", ["a", "b"])):
        house.announced()
        house.tell(
            house.captured(1, cause="REASSIGNED", owner_version=version, excluded=[f"people/{o}" for o in owners])
        )
        (event,) = house.announced(events_pb2.LeadAssignmentDecided)
        new = event.owner.removeprefix("people/")
        house.tell(house.moved(1, new, version + 1, "RULES", previous, decision=event.decision))
    newest, middle, oldest = decisions(house, 1)
    assert newest.entry > middle.entry > oldest.entry
    request = rules_pb2.ListDecisionsRequest(parent=lead(1), page_size=2)
    first = ask(house, "ListDecisions", request)
    request.page_token = first.next_page_token
    second = ask(house, "ListDecisions", request)
    assert [d.entry for d in (*first.decisions, *second.decisions)] == [newest.entry, middle.entry, oldest.entry]
    request.page_token = "x"
    with pytest.raises(Invalid):
        ask(house, "ListDecisions", request)


def test_a_sales_person_sees_his_own_line_alone_and_a_manager_his_team(house: House) -> None:
    house.hire("a", "b", region="华东", team="teams/east")
    house.hire("c", region="华南", team="teams/west")
    house.capture(1, region="华东")
    for person in ("a", "b"):  # who got it, and who was passed over
        (decision,) = decisions(house, 1, who(person, Scope.OWN))
        assert [c.person for c in decision.candidates] == [f"people/{person}"]
        assert set(decision.ledger_before) == set(decision.ledger_after) == {f"people/{person}"}
        (shown,) = ask(house, "ListLedgers", rules_pb2.ListLedgersRequest(), who(person, Scope.OWN)).ledgers
        assert [row.person for row in shown.rows] == [f"people/{person}"]
    for stranger in (who("c", Scope.OWN), who("boss", Scope.TEAM, "teams/west")):
        with pytest.raises(NotFound):
            decisions(house, 1, stranger)
        with pytest.raises(NotFound):
            ask(house, "ListTimers", rules_pb2.ListTimersRequest(parent=lead(1)), stranger)
        assert not ask(house, "ListLedgers", rules_pb2.ListLedgersRequest(), stranger).ledgers
    boss = who("boss", Scope.TEAM, "teams/east")
    assert len(decisions(house, 1, boss)[0].candidates) == 2
    timers = ask(house, "ListTimers", rules_pb2.ListTimersRequest(parent=lead(1)), boss).timers
    assert {rules_pb2.Timer.Kind.Name(t.kind) for t in timers} == {"FIRST_RESPONSE", "RECLAIM"}
    house.tell(house.contacted(1, "a", 1))
    timers = ask(house, "ListTimers", rules_pb2.ListTimersRequest(parent=lead(1)), who("a", Scope.OWN)).timers
    assert [t.cancelled for t in timers] == [True, False]


def test_a_ledger_shows_shares_turns_credits_and_why_somebody_is_passed_over_now(house: House) -> None:
    house.hire("a", "b", region="华东")
    house.hire("c", region="华东", weight=2)
    house.capture(1, 2, 3, region="华东")
    house.presence("b", "OFFLINE")
    house.hire("a", region="华南")
    ledger = ask(house, "GetLedger", rules_pb2.GetLedgerRequest(name="ledgers/roster/华东"))
    rows = {r.person: (r.weight, r.turns, r.share, r.reason) for r in ledger.rows}
    assert rows["people/b"] == (1, 1, 0.25, "OFFLINE")
    assert rows["people/a"][3] == "OTHER_REGION"
    assert rows["people/c"] == (2, 1, 0.5, "")
    assert sum(r.credit for r in ledger.rows) == pytest.approx(0)
    assert ledger.worst_deviation <= ledger.bound == 0.75
    with pytest.raises(NotFound):
        ask(house, "GetLedger", rules_pb2.GetLedgerRequest(name="ledgers/nowhere"))


def test_verification_names_the_entry_of_which_a_single_byte_was_changed(house: House) -> None:
    house.hire("a", "b")
    house.capture(*range(1, 31))
    good = house.verify()
    assert (good.entries, good.decisions, good.first_wrong_entry) == (33, 30, 0)
    with house.runtime.database.write() as connection:
        body = bytes(connection.execute(sa.select(journal.c.body).where(journal.c.seq == 17)).scalar_one())
        changed = body.replace(b'"a"', b'"b"') if b'"a"' in body else body.replace(b'"b"', b'"a"')
        assert changed != body
        connection.execute(sa.update(journal).where(journal.c.seq == 17).values(body=changed))
    bad = house.verify()
    assert (bad.first_wrong_entry, bad.entries, bad.problem[:4]) == (17, 16, "HASH")
    if house.runtime.database.is_sqlite:  # where a blob may become a text, and nobody's type check complains
        with house.runtime.database.write() as connection:
            connection.execute(sa.text("update journal set body = cast(body as text) || ' ' where seq = 9"))
        assert house.verify().first_wrong_entry == 9
        with house.runtime.database.write() as connection:
            connection.execute(sa.text("update journal set body = cast(trim(body) as blob) where seq = 9"))
    # A cunning hand writes every later hash anew: then the decision itself does not re-derive.
    with house.runtime.database.write() as connection:
        rows = connection.execute(sa.select(journal.c.seq, journal.c.body).order_by(journal.c.seq)).all()
        for record in seal(GENESIS, 1, [bytes(r.body) for r in rows]):
            connection.execute(sa.update(journal).where(journal.c.seq == record.seq).values(hash=record.hash))
    bad = house.verify()
    assert (bad.first_wrong_entry, bad.problem[:8]) == (17, "DECISION")
    with house.runtime.database.write() as connection:
        connection.execute(sa.delete(journal).where(journal.c.seq > 16))
    bad = house.verify()
    assert (bad.first_wrong_entry, bad.problem[:4]) == (17, "HEAD")


def test_a_process_starts_from_a_snapshot_of_this_very_journal_and_old_decisions_stay_explained(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_EVERY", 50)
    house.hire("a", "b", "c", region="华东")
    for number in range(1, 121):
        house.capture(number, region="华东")
    with house.reading() as tx:
        kept = [r[0] for r in tx.execute(sa.select(snapshots.c.seq).order_by(snapshots.c.seq))]
    assert kept == [50, 100]
    fresh = House(open_runtime(house.runtime.database.url.render_as_string(hide_password=False), tmp_path))
    read: list[int] = []
    original = storage.records

    def watched(tx: Transaction, after: int, until: int, page: int = 1000) -> Iterator[Record]:
        read.append(after)
        return original(tx, after, until, page)

    monkeypatch.setattr(storage, "records", watched)
    assert fresh.state == house.state
    assert read == [100]
    assert [decisions(fresh, n)[0].owner for n in (1, 60, 120)] == ["people/a", "people/c", "people/c"]
    assert read[1:] == [0, 50, 100]
    # A snapshot that is not of this journal is left alone.
    with house.runtime.database.write() as connection:
        connection.execute(sa.update(snapshots).where(snapshots.c.seq == 100).values(hash=b"x" * 32, state=b"[]"))
    other = House(open_runtime(house.runtime.database.url.render_as_string(hide_password=False), tmp_path))
    furnish(other.runtime)
    assert other.state == house.state
    for each in (fresh, other):
        each.runtime.database.dispose()


def test_a_simulation_decides_history_again_with_loads_that_follow_the_simulated_owners(house: House) -> None:
    house.hire("a", "b", capacity={"open": 2})
    assert house.capture(1, 2, 3, 4) == ["a", "b", "a", "b"]
    house.tell(house.qualified(1, "a", 1))
    assert house.capture(5) == ["a"]
    content = to_plain(house.state.policy)
    same = ask(house, "SimulatePolicy", rules_pb2.SimulatePolicyRequest(content=struct(content)))
    assert (same.decisions, same.different, same.not_evaluated, same.waiting) == (5, 0, 0, 0)
    assert same.leads_per_person == {"people/a": 3, "people/b": 2}
    # Only b may receive: two at a time, the third when one of his is closed.
    steps = [{"id": "all", "kind": "fallback", "to": "people/b"}]
    only = ask(house, "SimulatePolicy", rules_pb2.SimulatePolicyRequest(content=struct({**content, "steps": steps})))
    assert only.leads_per_person == {"people/b": 3}
    assert (only.waiting, only.different) == (2, 4)
    assert {d.lead: (d.owner_before, d.owner_after) for d in only.differences}[lead(1)] == ("people/a", "people/b")
    assert {d.lead for d in only.differences if not d.owner_after} == {lead(4), lead(5)}  # the oldest came first
    # A new condition on a text cannot be evaluated again: it counts as not met, and is counted.
    steps = [{"id": "talk", "kind": "fallback", "to": "people/b", "when": 'text.contains("x")'}, *content["steps"]]
    blind = ask(house, "SimulatePolicy", rules_pb2.SimulatePolicyRequest(content=struct({**content, "steps": steps})))
    assert (blind.not_evaluated, blind.different) == (5, 0)
    assert len(house.entries()) == 9


def struct(plain: dict[str, Any]) -> Any:
    from rules import wire

    return wire.struct(plain)


def test_ten_thousand_that_wait_do_not_make_a_change_of_presence_slow(house: House) -> None:
    house.hire("a", region="华东", presence="OFFLINE")
    for start in range(0, 10_000, 500):
        house.tell(*(house.captured(n, region="华东") for n in range(start, start + 500)))
    house.hire("b", region="华南")
    house.presence("b", "AWAY")
    started = time.perf_counter()
    for _ in range(5):
        house.presence("b", "ONLINE")
        house.presence("b", "AWAY")
    each = (time.perf_counter() - started) / 10
    print(f"\nfigure: a change of presence with 10 000 leads waiting: {each * 1000:.1f} ms")
    assert each < 0.1
    assert len(house.waiting) == 10_000
    started = time.perf_counter()
    house.presence("a", "ONLINE")
    while house.wait_loop():
        pass
    print(f"figure: 10 000 waiting leads served in {time.perf_counter() - started:.1f} s")
    assert house.waiting == {}
    assert house.open_leads == {"a": 10_000}
    assert house.verify().first_wrong_entry == 0
