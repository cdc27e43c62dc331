"""The live feed: what is announced on the bus reaches those who may see it, once, and resumes where it stopped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
import requests

from chassis import cache, clock
from dealwright.activities.v1 import events_pb2 as activity_events
from dealwright.activities.v1 import notices_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.reports.v1.events_pb2 import FiguresChanged
from dealwright.rules.v1 import events_pb2 as rule_events
from dealwright.rules.v1 import rules_pb2
from gateway.usecases import stream

ZH = "您有一条新线索待处理,请在2小时内联系客户"


class Listener:
    """Reads one connection's events in a thread."""

    def __init__(self, url: str, token: str, **headers: str) -> None:
        self.events: list[dict[str, Any]] = []
        self.comments = 0
        self.ended = threading.Event()
        session = requests.Session()
        session.trust_env = False
        self._answer = session.get(
            f"{url}/v1/feed", headers={"Authorization": f"Bearer {token}", **headers}, stream=True, timeout=20
        )
        self.status = self._answer.status_code
        self.problem = self._answer.json() if self.status != 200 else None
        if self.status == 200:
            threading.Thread(target=self._read, daemon=True).start()
            self.wait(lambda: self.comments > 0)

    def _read(self) -> None:
        event: dict[str, Any] = {}
        try:
            lines: Any = self._answer.iter_lines(chunk_size=1, decode_unicode=True)
            for line in lines:
                key, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    event[key] = json.loads(value) if key == "data" else value
                elif "event" in event:
                    self.events.append(event)
                    event = {}
        except (requests.RequestException, AttributeError):
            pass
        self.ended.set()

    def wait(self, done: Callable[[], bool], seconds: float = 8.0) -> None:
        until = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < until, self.events
            time.sleep(0.01)

    def of(self, subject: str) -> list[dict[str, Any]]:
        return [e for e in self.events if e.get("data", {}).get("subject") == subject]

    def close(self) -> None:
        self._answer.close()


@pytest.fixture
def listen(gateway: Any) -> Iterator[Callable[..., Listener]]:
    opened: list[Listener] = []

    def make(token: str, url: str = "", **headers: str) -> Listener:
        opened.append(Listener(url or gateway.url, token, **headers))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def announce(world: Any) -> Callable[..., None]:
    """Puts events on the bus, as the services would."""

    def emit(*events: Any) -> None:
        with world.runtime.transaction() as tx:
            tx.emit_all(events)

    return emit


@pytest.fixture
def staffed(world: Any, announce: Callable[..., None]) -> None:
    """Ann and Bob in team east, Cid in team west."""
    for name, team in (("ann", "east"), ("bob", "east"), ("cid", "west")):
        person = directory_pb2.Person(name=f"people/{name}", team=f"teams/{team}")
        announce(directory_events.PersonChanged(person=person, version=1))
    until = time.monotonic() + 5
    while not world.bus.idle():
        assert time.monotonic() < until
        time.sleep(0.01)


def assigned(lead: str, owner: str, previous: str = "", version: int = 1) -> lead_events.LeadAssigned:
    return lead_events.LeadAssigned(
        lead=lead, owner=owner, previous_owner=previous, owner_version=version, how="RULES", region="华东"
    )


def test_L20_the_owner_is_told_in_his_language_and_only_those_who_may_see_it_hear_of_it(
    staffed: None, listen: Any, announce: Any
) -> None:
    ann = listen("sales/ann/east", **{"Accept-Language": "zh-CN"})
    ann_en = listen("sales/ann/east", **{"Accept-Language": "en"})
    bob, cid = listen("sales/bob/east"), listen("sales/cid/west")
    east, west, boss = listen("manager/eva/east"), listen("manager/wim/west"), listen("admin/root/head")
    finance = listen("finance/fin/east")
    lead = "leads/notice"
    announce(assigned(lead, "people/ann"))
    announce(lead_events.LeadUnassigned(lead="leads/last", reason="x"))
    boss.wait(lambda: bool(boss.of("leads/last")))
    for one in (ann, ann_en):
        one.wait(lambda one=one: bool(one.of(lead)))
    assert ann.of(lead)[0]["data"]["notice"] == ZH
    assert ann_en.of(lead)[0]["data"]["notice"] == "You have a new lead; contact the customer within 2 hours"
    assert ann.of(lead)[0]["event"] == "LeadAssigned"
    assert ann.of(lead)[0]["data"]["data"]["region"] == "华东"
    for other in (east, boss):
        other.wait(lambda other=other: bool(other.of(lead)))
        assert "notice" not in other.of(lead)[0]["data"]
    for stranger in (bob, cid, west, finance):
        assert not stranger.of(lead)
    for someone in (ann, east, finance):
        assert not someone.of("leads/last")


def test_L31_the_owner_is_told_that_the_customer_came_back(staffed: None, listen: Any, announce: Any) -> None:
    ann, ann_en = (listen("sales/ann/east", **{"Accept-Language": tongue}) for tongue in ("zh-CN", "en"))
    bob, east, west = listen("sales/bob/east"), listen("manager/eva/east"), listen("manager/wim/west")
    boss = listen("admin/root/head")
    announce(lead_events.LeadTouched(lead="leads/back", owner="people/ann"))
    announce(lead_events.LeadKept(lead="leads/kept", owner="people/ann", owner_version=1, reason="NO_PEOPLE"))
    announce(lead_events.LeadTouched(lead="leads/nobodys"))
    boss.wait(lambda: all(boss.of(f"leads/{name}") for name in ("back", "kept", "nobodys")))
    ann.wait(lambda: bool(ann.of("leads/back")) and bool(ann.of("leads/kept")))
    assert ann.of("leads/back")[0]["event"] == "LeadTouched"
    assert ann.of("leads/back")[0]["data"]["notice"] == "您的客户再次联系了我们，请及时跟进"
    ann_en.wait(lambda: bool(ann_en.of("leads/back")))
    assert ann_en.of("leads/back")[0]["data"]["notice"] == "Your customer got in touch again; please follow up"
    for other in (east, boss):
        other.wait(lambda other=other: bool(other.of("leads/back")) and bool(other.of("leads/kept")))
        assert "notice" not in other.of("leads/back")[0]["data"]
    assert "notice" not in boss.of("leads/nobodys")[0]["data"]
    for stranger in (bob, west):
        assert not stranger.of("leads/back")
        assert not stranger.of("leads/kept")
    assert ann.of("leads/kept")[0]["data"]["data"]["reason"] == "NO_PEOPLE"


def test_the_previous_owner_hears_that_it_went_to_another(staffed: None, listen: Any, announce: Any) -> None:
    cid, west = listen("sales/cid/west"), listen("manager/wim/west")
    announce(assigned("leads/moved", "people/ann", "people/cid", 2))
    for one in (cid, west):
        one.wait(lambda one=one: bool(one.of("leads/moved")))
    assert "notice" not in cid.of("leads/moved")[0]["data"]


def test_a_reader_that_comes_back_gets_what_it_missed_in_order_and_nothing_twice(
    staffed: None, listen: Any, announce: Any
) -> None:
    boss = listen("admin/root/head")
    announce(assigned("leads/r0", "people/ann"))
    boss.wait(lambda: bool(boss.of("leads/r0")))
    last = boss.of("leads/r0")[0]["id"]
    boss.close()
    for i in range(1, 30):
        announce(assigned(f"leads/r{i}", "people/ann"))
    again = listen("admin/root/head", **{"Last-Event-ID": last})
    for i in range(30, 60):
        announce(assigned(f"leads/r{i}", "people/ann"))
    again.wait(lambda: len({e["data"]["subject"] for e in again.events}) >= 59)
    heard = [e["data"]["subject"] for e in again.events]
    assert sorted(heard) == sorted({f"leads/r{i}" for i in range(1, 60)})
    ids = [tuple(int(n) for n in e["id"].split("-")) for e in again.events]
    assert ids == sorted(ids)


def test_a_reader_whose_place_is_gone_is_told_to_start_anew(listen: Any, staffed: None, announce: Any) -> None:
    announce(assigned("leads/any", "people/ann"))
    old = listen("admin/root/head", **{"Last-Event-ID": "1-0"})
    old.wait(lambda: bool(old.events))
    assert old.events[0]["event"] == "reset"


def test_a_wrong_place_or_no_session_is_a_problem(listen: Any) -> None:
    wrong = listen("admin/root/head", **{"Last-Event-ID": "yesterday"})
    assert (wrong.status, wrong.problem["fields"][0]["field"]) == (400, "Last-Event-ID")
    assert listen("forged").status == 401


def test_a_second_delivery_puts_nothing_on_the_stream() -> None:
    import fakeredis

    store = cache.client(server=fakeredis.FakeServer())
    events = [assigned("leads/x", "people/ann"), assigned("leads/x", "people/bob", version=2)]
    outlines = [stream.Outline(e, "leads", (e.owner,)) for e in events]
    entries = {stream.fingerprint(o.event): stream.entry(o, {}, clock.now()) for o in outlines}
    for _ in range(3):
        stream.append(store, "s", 100, entries, clock.now())
    found: Any = store.xrange("s")
    assert [fields["people"] for _, fields in found] == ["people/ann", "people/bob"]


def test_redis_away_makes_the_delivery_wait_and_parks_nothing() -> None:
    from chassis.database import is_unavailable

    store = cache.client("redis://127.0.0.1:1/0")
    with pytest.raises(ConnectionError) as away:
        stream.append(store, "s", 100, {"k": {"type": "x"}}, clock.now())
    assert is_unavailable(away.value)


def test_L20_the_notice_says_the_policys_own_time(staffed: None, listen: Any, announce: Any, world: Any) -> None:
    policy = rules_pb2.Policy(name="policies/assignment", version=2)
    policy.content.update({"clocks": {"responseMinutes": 90}})
    announce(rule_events.PolicyPublished(policy=policy))
    until = time.monotonic() + 5
    while not world.bus.idle():
        assert time.monotonic() < until
        time.sleep(0.01)
    ann = listen("sales/ann/east", **{"Accept-Language": "zh"})
    announce(assigned("leads/ninety", "people/ann"))
    ann.wait(lambda: bool(ann.of("leads/ninety")))
    assert "请在90分钟内联系客户" in ann.of("leads/ninety")[0]["data"]["notice"]
    policy.version = 3
    policy.content.update({"clocks": {"responseMinutes": 120}})
    announce(rule_events.PolicyPublished(policy=policy))


def test_a_person_who_changed_teams_is_heard_of_in_the_new_one(
    staffed: None, listen: Any, announce: Any, world: Any
) -> None:
    for team, version in (("west", 5), ("east", 4)):  # the older state comes late
        person = directory_pb2.Person(name="people/dan", team=f"teams/{team}")
        announce(directory_events.PersonChanged(person=person, version=version))
    until = time.monotonic() + 5
    while not world.bus.idle():
        assert time.monotonic() < until
        time.sleep(0.01)
    west, east, boss = listen("manager/wim/west"), listen("manager/eva/east"), listen("admin/root/head")
    announce(assigned("leads/dan", "people/dan"))
    for one in (west, boss):
        one.wait(lambda one=one: bool(one.of("leads/dan")))
    assert not east.of("leads/dan")


def test_a_notice_of_the_rules_reaches_the_one_it_is_for(staffed: None, listen: Any, announce: Any) -> None:
    bob, ann = listen("sales/bob/east", **{"Accept-Language": "zh"}), listen("sales/ann/east")
    announce(rule_events.ActionRequested(action="RECLAIM", subject="leads/n", person="people/bob"))
    announce(
        rule_events.ActionRequested(
            action="NOTIFY", subject="leads/n", person="people/bob", text_zh="请跟进", text_en="Follow up"
        )
    )
    bob.wait(lambda: bool(bob.events))
    assert [e["data"].get("notice") for e in bob.events] == ["请跟进"]
    assert not ann.events


def test_L20_F14_a_notice_is_on_the_feed_of_the_one_it_is_for_and_on_no_other(
    staffed: None, listen: Any, announce: Any
) -> None:
    ann, ann_en = (listen("sales/ann/east", **{"Accept-Language": tongue}) for tongue in ("zh", "en"))
    others = [listen(who) for who in ("sales/bob/east", "manager/eva/east", "finance/fin/east", "admin/root/head")]
    new = activity_events.Notified(notification="notifications/1", person="people/ann", record="tasks/1")
    new.kind, new.title_zh, new.title_en = notices_pb2.Notification.TASK_ASSIGNED, "有一项新任务", "A task is yours"
    announce(new)
    announce(directory_events.PresenceChanged(person="people/ann", presence=directory_pb2.Person.AWAY, version=21))
    for one in (ann, ann_en):
        one.wait(lambda one=one: bool(one.of("notifications/1")))
    (event,) = ann.of("notifications/1")
    assert (event["event"], event["data"]["notice"]) == ("Notified", "有一项新任务")
    assert event["data"]["data"] == {
        "notification": "notifications/1", "person": "people/ann", "kind": "TASK_ASSIGNED", "record": "tasks/1",
    }  # fmt: skip
    assert ann_en.of("notifications/1")[0]["data"]["notice"] == "A task is yours"
    for other in others:
        other.wait(lambda other=other: bool(other.of("people/ann")))
        assert other.of("notifications/1") == []


def test_U2_presence_is_seen_by_those_who_may_see_people(staffed: None, listen: Any, announce: Any) -> None:
    cid = listen("sales/cid/west")
    announce(directory_events.PresenceChanged(person="people/ann", presence=directory_pb2.Person.AWAY, version=9))
    cid.wait(lambda: bool(cid.of("people/ann")))
    assert cid.of("people/ann")[0]["data"]["data"]["presence"] == "AWAY"


def test_a_session_that_ends_ends_its_feed_and_others_go_on(world: Any, listen: Any) -> None:
    opened = world.open(session_cache=0.3, feed_heartbeat=0.2, address_rate=0)
    try:
        leaver = listen("sales/leaver/east", opened.url)
        stayer = listen("sales/stayer/east", opened.url)
        leaver.wait(lambda: leaver.comments >= 3)
        world.ended.add("sales/leaver/east")
        assert leaver.ended.wait(5)
        assert not stayer.ended.is_set()
    finally:
        opened.stop()
        assert stayer.ended.wait(5)


def test_a_reader_that_is_too_slow_is_cut_and_the_others_are_not() -> None:
    from chassis.access import Grant, Principal, Scope
    from gateway.doors.feed import Connection, Entry

    boss = Principal(person="people/root", grants={"leads": Grant(read=Scope.ALL)})
    slow, quick = Connection(boss, 3), Connection(boss, 100)
    for i in range(10):
        entry = Entry(f"{i}-0", "LeadAssigned", "leads/1", "leads", (), (), "", {}, {"zh": "", "en": ""})
        slow.offer(entry)
        quick.offer(entry)
    assert slow.cut
    assert not quick.cut


def test_fields_that_a_role_never_sees_are_not_in_its_feed() -> None:
    from chassis.access import Grant, Principal, Scope
    from gateway.doors.feed import Entry, shown

    entry = Entry(
        "1-0", "LeadAssigned", "leads/1", "leads", ("people/a",), (), "t", {"captureTime": "x", "owner": "people/a"},
        {"zh": "", "en": ""},
    )  # fmt: skip
    blind = Principal(person="people/a", grants={"leads": Grant(read=Scope.OWN, hidden=frozenset({"capture_time"}))})
    assert shown(blind, entry, "en")["data"] == {"owner": "people/a"}


def test_B34_that_figures_changed_is_told_to_those_alone_who_may_see_whose_they_are(
    staffed: None, listen: Any, announce: Any
) -> None:
    ann, bob, east, west = map(listen, ("sales/ann/east", "sales/bob/east", "manager/eva/east", "manager/wim/west"))
    boss, finance = listen("admin/root/head"), listen("finance/fin/east")
    everybody, versions = (ann, bob, east, west, boss, finance), count(100)

    def changed(*holders: str, resource: str = "leads", verb: str = "read") -> None:
        event = FiguresChanged(name="reports", resource=resource, verb=verb, holders=holders)
        event.learn_time.GetCurrentTime()
        announce(event)

    def heard(*who: Listener, times: int = 1) -> None:
        for one in who:
            one.wait(lambda one=one: len(one.of("reports")) == times)  # type: ignore[misc]
        # What comes after it is there, so nothing of it is still to come.
        away, version = directory_pb2.Person.AWAY, next(versions)
        announce(directory_events.PresenceChanged(person="people/ann", presence=away, version=version))
        for one in everybody:
            one.wait(lambda one=one: bool(one.of("people/ann")))
            assert len(one.of("reports")) == (times if one in who else 0), one
            one.events.clear()

    changed("people/ann")
    boss.wait(lambda: bool(boss.of("reports")))
    assert boss.of("reports")[0]["data"]["data"]["holders"] == []
    heard(ann, east, boss)
    changed("people/bob", "people/cid")
    heard(bob, east, west, boss)
    changed("")  # what nobody has is for those who have a team
    heard(east, west, boss)
    changed("people/ann", resource="people", verb="write")  # all may read people, and not what they use
    heard(boss)
