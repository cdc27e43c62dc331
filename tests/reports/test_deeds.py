"""What somebody did with a lead counts for him, whoever has the lead since, and tells him nothing of it any more."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import Principal, Scope
from chassis.transaction import Origin
from dealwright.reports.v1 import reports_pb2 as pb
from dealwright.reports.v1.events_pb2 import TaskRequested
from reports.domain import periods
from reports.domain.facts import FACTS
from reports.domain.kpi import NUMBER, SECONDS, Kpi, Measure
from reports.domain.posting import APART
from reports.domain.view import View
from reports.servicer.rebuilder import Rebuilder
from reports.storage import cells as stored
from reports.storage import ledger
from reports.storage.cells import DAY, Rollup
from reports.storage.tables import cells, postings
from reports.usecases import reading
from tests.reports.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, moment, principal
from tests.reports.leads import Lead
from tests.reports.people import Told
from tests.reports.test_rebuilding import History, _begin, _cells, _envelopes, _live, _to_the_end

NOVEMBER = "2026-11"
# By when Wang had none of Li's yet, and from when on all is told: asked as of a moment, it is summed from the postings.
THEN, LATEST = "2026-11-10T10:00", "2026-12-31T10:00"
BOTH = principal("people/both", "manager", Scope.TEAM, "teams/east", "teams/west")
EVERYBODY = (ADMIN, BOSS, LI, ZHAO, WANG, BOTH)
DEEDS = ("lead.assigned", "lead.acknowledged", "lead.released")
KPIS = ("leads-assigned", "acknowledge-time", "acknowledged-within-2h", "leads-released")


def _on(day: int, hour: str = "10:00") -> str:
    return f"2026-11-{day:02}T{hour}"


def _house(desk: Desk) -> None:
    """All were Li's: one is Wang's by now, one waits in the pool, one is his still."""
    given = Lead("leads/given", _on(2, "09:00"), "TRADE_SHOW").assign("people/li", _on(2)).contact(_on(2, "10:30"))
    pooled = Lead("leads/pooled", _on(4, "09:00"), "WECHAT").assign("people/li", _on(4)).release(_on(5), "BUSY")
    kept = Lead("leads/kept", _on(3, "08:00"), "DOUYIN", "华南").assign("people/li", _on(3))
    given.assign("people/wang", _on(15)).contact(_on(15, "13:00"))
    desk.hear(*given.told, *pooled.told, *kept.told)


def _by(desk: Desk, kpi: str, group: str, who: Principal, **asked: Any) -> dict[Any, float]:
    """The same out of the sums that are kept and out of the postings."""
    asked = {"period": NOVEMBER, "group_by": [group], **asked}
    found = desk.counted(kpi, who, **asked)
    assert desk.counted(kpi, who, LATEST, **asked) == found, (kpi, group, who.person)
    return found


def _records(desk: Desk, kpi: str, who: Principal, **asked: Any) -> set[str]:
    request = pb.ListRecordsRequest(parent=f"reports/{kpi}", period=NOVEMBER, **asked)
    return {one.name for one in desk.call("ListRecords", request, who).records}


def _explained(desk: Desk, kpi: str, who: Principal, **asked: Any) -> pb.Explanation:
    request = pb.ExplainFigureRequest(name=f"reports/{kpi}", period=NOVEMBER, **asked)
    found: pb.Explanation = desk.call("ExplainFigure", request, who)
    return found


def test_B12_what_somebody_did_with_a_lead_counts_for_him_and_his_team_whoever_has_it_since(desk: Desk) -> None:
    _house(desk)

    def of(kpi: str) -> list[float | None]:
        return [desk.figure(kpi, who, period=NOVEMBER) for who in (ADMIN, BOTH, BOSS, LI, WANG)]

    assert of("leads-assigned") == [4, 4, 3, 3, 1]
    assert of("leads-released") == [1, 1, 1, 1, 0]
    assert of("acknowledge-time") == [1.75, 1.75, 0.5, 0.5, 3]
    assert of("acknowledged-within-2h") == [1 / 4, 1 / 4, 1 / 3, 1 / 3, 0]
    # What they are counts for who has them, and how soon one was answered since its capture goes with it.
    assert of("leads-captured") == [3, 3, 2, 1, 1]
    assert of("ctre") == [1.5, 1.5, None, None, 1.5]


def test_P6_but_where_a_lead_came_from_is_told_to_those_alone_who_may_read_it(desk: Desk) -> None:
    _house(desk)
    show, chat, tiktok = "TRADE_SHOW", "WECHAT", "DOUYIN"
    assert _by(desk, "leads-assigned", "channel", ADMIN) == {show: 2, chat: 1, tiktok: 1}
    assert _by(desk, "leads-assigned", "channel", BOTH) == {show: 2, chat: 1, tiktok: 1}
    assert _by(desk, "leads-assigned", "channel", BOSS) == {"": 1, chat: 1, tiktok: 1}, "nobody's are for each team"
    assert _by(desk, "leads-assigned", "channel", LI) == {"": 2, tiktok: 1}
    assert _by(desk, "leads-assigned", "channel", WANG) == {show: 1}
    assert _by(desk, "leads-assigned", "region", LI) == {"": 2, "华南": 1}
    assert _by(desk, "leads-released", "reason", LI) == {"BUSY": 1}, "why he gave it back is his"
    assert _by(desk, "leads-assigned", "owner", LI) == {"people/li": 3}
    for who, there in ((ADMIN, 2), (LI, 0), (BOSS, 0), (WANG, 1)):
        for as_of in ("", LATEST):
            found = desk.figure("leads-assigned", who, as_of, period=NOVEMBER, filter=f"channel = {show}")
            assert (found or 0) == there, who.person
    # By what no sums are kept of.
    pairs = desk.counted("leads-assigned", LI, period=NOVEMBER, group_by=["channel", "region"])
    assert pairs == {("", ""): 2, (tiktok, "华南"): 1}


def test_P6_nor_when_it_was_captured(desk: Desk) -> None:
    _house(desk)
    of = Kpi("kpis/x", "x", "x", "", "", NUMBER, (Measure("it", "lead.assigned", SECONDS),), "it", ())
    latest = int(moment(LATEST).timestamp()) * 1_000_000
    for who, hours in ((ADMIN, 4), (BOSS, 3), (LI, 2), (WANG, 0)):
        for as_of in (None, latest):
            with desk.runtime.transaction(who, Origin(who.actor)) as tx:
                found = reading.table(tx, of, View(periods.ALL, moment(LATEST).date(), as_of=as_of))
            assert found.total.inputs == {"it": hours * 3600}, (who.person, as_of)


def test_P6_B41_the_count_is_his_and_the_list_behind_it_has_what_he_may_read(desk: Desk) -> None:
    _house(desk)
    mine = ((ADMIN, ("given", "pooled", "kept")), (BOSS, ("pooled", "kept")), (LI, ("kept",)), (WANG, ("given",)))
    for who, names in mine:
        there = {f"leads/{name}" for name in names}
        assert _records(desk, "leads-assigned", who) == there, who.person
        said = _explained(desk, "leads-assigned", who)
        assert {one.record for one in said.postings} == there, who.person
        assert said.figure.value == desk.figure("leads-assigned", who, period=NOVEMBER)
    for who in (LI, BOSS):
        for where in ("channel = TRADE_SHOW", "region = 华东 AND channel = TRADE_SHOW"):
            assert _records(desk, "leads-assigned", who, filter=where) == set()
            assert not _explained(desk, "leads-assigned", who, filter=where).postings
        # Neither that it was given away, nor when, nor any of its events.
        times = {one.learn_time.ToJsonString() for one in _explained(desk, "acknowledge-time", who).postings}
        assert times == set()
    blank: dict[str, Any] = {"group_by": ["channel"], "keys": [""]}
    assert _explained(desk, "leads-assigned", LI, **blank).figure.value == 2
    assert _records(desk, "leads-assigned", LI, **blank) == set()


def test_P6_what_was_known_then_is_told_by_the_rights_of_today(desk: Desk) -> None:
    _house(desk)
    asked: dict[str, Any] = {"period": NOVEMBER, "as_of": THEN}
    then = {who.person: desk.figure("leads-assigned", who, **asked) or 0 for who in (ADMIN, BOSS, LI, WANG)}
    assert then == {"people/admin": 3, "people/boss": 3, "people/li": 3, "people/wang": 0}
    by = desk.counted("leads-assigned", LI, **asked, group_by=["channel"])
    assert by == {"": 2, "DOUYIN": 1}, "it was his then, and is not now"
    by = desk.counted("leads-assigned", BOTH, **asked, group_by=["channel"])
    assert by == {"TRADE_SHOW": 1, "WECHAT": 1, "DOUYIN": 1}
    back = Lead("leads/given", _on(2, "09:00"), "TRADE_SHOW")
    back.owner_version = 2
    desk.hear(back.assign("people/li", _on(20)).told[-1])
    assert desk.counted("leads-assigned", LI, **asked, group_by=["channel"]) == {"": 1, "DOUYIN": 1, "TRADE_SHOW": 1}
    assert _by(desk, "leads-assigned", "channel", WANG) == {"": 1}


def test_B44_what_was_done_becomes_tasks_of_those_who_have_the_leads_now(desk: Desk) -> None:
    _house(desk)
    desk.announced()
    for who, (made, passed_over), told in (
        (ADMIN, (2, 1), {"leads/given": "people/wang", "leads/kept": "people/li"}),
        (BOSS, (1, 1), {"leads/kept": "people/li"}),
        (LI, (1, 0), {"leads/kept": "people/li"}),
    ):
        request = pb.CreateTasksRequest(name="reports/leads-assigned", period=NOVEMBER)
        found = desk.call("CreateTasks", request, who)
        assert (found.tasks, found.passed_over) == (made, passed_over), who.person
        asked = {one.record: one.owner for one in desk.announced() if isinstance(one, TaskRequested)}
        assert asked == told, who.person


def test_it_is_posted_once_and_summed_twice_only_where_the_lead_is_anothers(desk: Desk) -> None:
    """Every event of a lead posts them."""
    lead = Lead("leads/a", _on(2), "TRADE_SHOW").assign("people/li", _on(2)).contact(_on(2, "10:30"))
    desk.hear(*lead.told)

    def posted() -> Counter[str]:
        with desk.runtime.reading() as tx:
            return Counter(tx.execute(sa.select(postings.c.fact).where(postings.c.fact.in_(DEEDS))).scalars())

    def lenders() -> set[str]:
        with desk.runtime.reading() as tx:
            there = sa.or_(*(cells.c[name] != 0 for name in ("count", "seconds")))
            return set(tx.execute(sa.select(cells.c.lead_holder).where(there)).scalars())

    assert posted() == {"lead.assigned": 1, "lead.acknowledged": 1}
    assert lenders() == {"*"}
    desk.hear(lead.assign("people/wang", _on(15)).told[-1])
    # Each of Li's once back and once anew, and Wang's own.
    assert posted() == {"lead.assigned": 4, "lead.acknowledged": 3}
    assert lenders() == {"*", "people/wang", f"{APART}people/wang"}


def _story(chance: random.Random, count: int) -> list[Told]:
    """Leads that are given, contacted, given back, taken, corrected, deleted and taken back."""
    told: list[Told] = []
    for n in range(count):
        channel, region = chance.choice(("WEB_FORM", "DOUYIN")), chance.choice(("华东", "西南"))
        lead = Lead(f"leads/{n}", _on(1, f"{8 + n % 12:02}:00"), channel, region)
        lead.assign(chance.choice(("people/li", "people/zhao", "people/wang")), _on(2, "09:00"))
        gone = False
        for day in sorted(chance.sample(range(3, 25), chance.randrange(6))):
            when = _on(day, f"{chance.randrange(8, 20):02}:{chance.randrange(60):02}")
            step = chance.choice(("assign", "assign", "contact", "contact", "release", "correct", "delete"))
            if gone:
                lead, gone = lead.undelete(when), False
            elif step == "assign" or not lead.owner:
                lead.assign(chance.choice(("people/li", "people/zhao", "people/wang")), when)
            elif step == "correct":
                lead.correct(when, chance.choice(("华东", "西南")), industry=chance.choice(("", "医疗")))
            elif step == "delete":
                lead, gone = lead.delete(when), True
            else:
                lead = lead.contact(when) if step == "contact" else lead.release(when)
        told += lead.told
    return told


@pytest.mark.parametrize("seed", range(3))
def test_B12_P6_everybody_has_of_himself_what_is_told_of_him_in_all_and_rates_are_of_the_same_leads(
    desk: Desk, seed: int
) -> None:
    chance = random.Random(seed)
    told = _story(chance, 14)
    chance.shuffle(told)
    desk.hear(*told)
    for kpi in KPIS:
        in_all = {row.keys[0]: row.figure for row in desk.report(kpi, period=NOVEMBER, group_by=["owner"]).rows}
        assert in_all.keys() <= {"people/li", "people/zhao", "people/wang"}
        assert len(in_all) > 1
        for who in (LI, ZHAO, WANG):
            mine = desk.report(kpi, who, period=NOVEMBER).total.figure
            assert mine == in_all[who.person] if who.person in in_all else not any(mine.inputs.values()), (kpi, who)
        for who in EVERYBODY:
            for group in ("channel", "region", "industry", "owner"):
                _by(desk, kpi, group, who)
                tile = desk.report(kpi, who, period=NOVEMBER, group_by=[group])
                for id, whole in tile.total.figure.inputs.items():
                    assert sum(row.figure.inputs[id] for row in tile.rows) == whole, (kpi, group, who.person)
                if kpi == "acknowledged-within-2h":
                    assert all(row.figure.inputs["soon"] <= row.figure.inputs["assigned"] for row in tile.rows)


@pytest.mark.parametrize("by_hand", [40_000, 0], ids=["few", "many"])
def test_what_is_made_anew_and_a_sum_that_is_wanted_later_are_the_same(
    desk: Desk, by_hand: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History()
    _live(desk, _envelopes(_story(random.Random(7), 12), history))

    def told() -> dict[Any, Any]:
        asked = [(kpi, who, group) for kpi in KPIS for who in (BOSS, LI, WANG) for group in ("channel", "region")]
        return {
            (kpi, who.person, group, as_of): desk.counted(kpi, who, as_of, period=NOVEMBER, group_by=[group])
            for kpi, who, group in asked
            for as_of in ("", THEN, LATEST)
        }

    before, said = _cells(desk), told()
    assert {fact for fact, *_ in before[0]} >= {*DEEDS}
    monkeypatch.setattr(stored, "_BY_HAND", by_hand)
    copy = _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    with desk.runtime.reading() as tx:
        assert ledger.live(tx) == copy
    assert _cells(desk) == before
    assert told() == said
    pair: dict[str, Any] = {"period": NOVEMBER, "group_by": ["channel", "region"]}
    by_two = {who.person: desk.counted("leads-assigned", who, **pair) for who in EVERYBODY}
    assert any("" in key for key in by_two["people/li"]), "some of Li's are others' now"
    with desk.runtime.transaction() as tx:
        stored.add(tx, copy, [Rollup("lead.assigned", ("channel", "region"), DAY)])
    with desk.runtime.transaction() as tx:
        tx.execute(sa.delete(postings))
    assert {who.person: desk.counted("leads-assigned", who, **pair) for who in EVERYBODY} == by_two


def test_of_a_deed_where_the_lead_came_from_is_borrowed_and_what_one_did_is_not() -> None:
    assert {fact.id for fact in FACTS.values() if fact.borrows} == {*DEEDS}
    for id in DEEDS:
        fact = FACTS[id]
        of_the_lead = {name for name, text in fact.fields.items() if {*text.split()} & _OF_THE_LEAD}
        assert {*fact.borrows} == of_the_lead
        assert not {*fact.moment.split(), *fact.defined.split()} & _OF_THE_LEAD, "when it happened is told to him"


_OF_THE_LEAD = {"channel", "region", "industry", "capture_time", "last_activity_time"}
