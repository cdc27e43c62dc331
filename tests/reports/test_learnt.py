"""What was known on a day stays what was known on it when the read model is made anew, in whatever order the bus
brought what it is made of."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message

from dealwright.bus.v1.envelope_pb2 import Envelope
from reports.servicer.rebuilder import Rebuilder
from reports.storage import ledger
from reports.storage.tables import postings, subjects
from reports.usecases import rebuilding
from tests.reports.deals import Deal
from tests.reports.desk import Desk
from tests.reports.leads import Lead
from tests.reports.people import customer, follow_up
from tests.reports.test_rebuilding import Heard, History, _begin, _cells, _envelopes, _to_the_end

KPIS = (
    *(("won-amount", "region"), ("open-amount", "stage"), ("stage-entered", "stage"), ("leads-open", "detail")),
    *(("ctre", "channel"), ("lead-conversion", "channel"), ("customers", "region"), ("rfm", "detail")),
)
MOMENTS = tuple(f"2026-11-{day:02}T{12 + day % 12}:30" for day in range(1, 26, 3))


def _then(desk: Desk) -> dict[Any, Any]:
    return {
        (kpi, moment): {
            key: value
            for key, value in desk.figures(kpi, as_of=moment, period="2026", group_by=[group]).items()
            if value is not None
        }
        for kpi, group in KPIS
        for moment in MOMENTS
    }


def _story(chance: random.Random) -> list[Heard]:
    told: list[Heard] = []
    for n in range(6):
        days = sorted(chance.sample(range(1, 24), 6))
        when = [f"2026-11-{day:02}T{chance.randrange(8, 20):02}:{chance.randrange(60):02}" for day in days]
        lead = Lead(f"leads/{n}", when[0], chance.choice(("WEB_FORM", "DOUYIN"))).assign("people/li", when[1])
        lead.contact(when[2]).correct(when[3], chance.choice(("华东", "西南")))
        of = {"lead": f"leads/{n}", "customer": f"customers/{n % 2}"}
        deal = Deal(f"opportunities/{n}", when[1], 10_000 * (n + 1), fields=of).move("need", when[2])
        deal.touch(when[3], f"followUps/{n}").give("people/zhao", when[3])
        deal = deal.win(when[4]) if chance.random() < 0.6 else deal.lose(when[4])
        told += [*lead.told, *deal.told, follow_up(f"followUps/c{n}", when[4], customer=f"customers/{n % 2}")]
        told.append(customer(f"customers/{n % 2}", when[5], n + 1, region=chance.choice(("华东", "华北"))))
    return told


def _bring(desk: Desk, found: list[tuple[Message, Envelope]], chance: random.Random) -> None:
    """Each some days late, a few of them twice: days are mixed."""
    late = [(one[1].receive_time.ToDatetime() + timedelta(days=chance.choice((0, 0, 0, 2, 9))), one) for one in found]
    late += chance.sample(late, len(late) // 5)
    order = [one for _, one in sorted(late, key=lambda pair: (pair[0], chance.random()))]
    for at in range(0, len(order), 3):
        desk.bring(*order[at : at + 3], roll=False)
    desk.roll()


@pytest.mark.parametrize("seed", range(4))
def test_B41_what_was_known_at_each_moment_is_the_same_after_it_is_made_anew(desk: Desk, seed: int) -> None:
    chance, history = random.Random(seed), History()
    _bring(desk, _envelopes(_story(chance), history), chance)
    before, then = _cells(desk), _then(desk)
    for copy in (2, 3):
        _begin(desk)
        _to_the_end(desk, Rebuilder(desk.runtime, history.page))
        with desk.runtime.reading() as tx:
            assert ledger.live(tx) == copy
        assert _cells(desk) == before
        changed = {at: (then[at], now) for at, now in _then(desk).items() if now != then[at]}
        assert not changed
    # And goes on as it would have: what is heard next is learnt with the newest that was heard before.
    with desk.runtime.reading() as tx:
        learnt = tx.execute(sa.select(subjects.c.copy, subjects.c.name, subjects.c.learn_time)).all()
    assert len({(name, at) for copy, name, at in learnt if copy in (1, 3)}) == len({name for _, name, _ in learnt})


def test_what_was_lost_is_known_since_its_service_knew_it(desk: Desk) -> None:
    """Where figures were wrong, nobody can tell any more what was on the boards; nor is it kept."""
    chance, history = random.Random(1), History()
    found = _envelopes(Deal("opportunities/a", "2026-11-02T10:00", 700).win("2026-11-05T10:00").told, history)
    _bring(desk, found, chance)
    with desk.runtime.transaction() as tx:
        later = (
            sa.update(postings).where(postings.c.fact == "deal.won").values(learn_time=postings.c.learn_time + 10**12)
        )
        tx.execute(later)
        opened = sa.update(postings).where(postings.c.fact == "deal.opened")
        tx.execute(opened.values(learn_time=postings.c.learn_time + 10**12, amount=1))
    assert not desk.figure("won-amount", period="2026", as_of="2026-11-06T10:00")
    assert not desk.figure("opportunities-opened", period="2026", as_of="2026-11-06T10:00")
    _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert not desk.figure("won-amount", period="2026", as_of="2026-11-06T10:00"), (
        "what was right stays as it was known"
    )
    assert desk.figure("opportunities-opened", period="2026", as_of="2026-11-06T10:00") == 1


def test_it_goes_record_by_record_and_waits_for_nothing_that_is_posted_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A house under load always has postings that are not summed yet."""
    monkeypatch.setattr(rebuilding, "_COMPARED", 2)
    chance, history = random.Random(2), History(rows=50)
    _bring(desk, _envelopes(_story(chance), history), chance)
    then = _then(desk)
    copy, rebuilder = _begin(desk), Rebuilder(desk.runtime, history.page)
    seen: set[str] = set()
    for number in range(200):
        desk.bring(*_envelopes(Deal(f"opportunities/new{number:03}", "2026-11-25T10:00").told, history), roll=False)
        rebuilder.step()
        with desk.runtime.reading() as tx:
            now = rebuilding.progress(tx)
        if now is None:
            break
        seen.add(now.compared)
    with desk.runtime.reading() as tx:
        assert ledger.live(tx) == copy
    assert len(seen) > 5
    desk.roll()
    assert {at: now for at, now in _then(desk).items() if now != then[at] and at[1] < "2026-11-25"} == {}
    both = _cells(desk, copy)
    assert both[1] == _cells(desk, 1)[1]
    monkeypatch.undo()
    _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert _cells(desk) == both, "nothing was summed twice or not at all"
