"""What is known of a lead does not depend on the order in which its events come, nor on how often."""

from __future__ import annotations

import json

from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from chassis.transaction import Cause
from reports.domain import lead as domain
from reports.domain.folding import News
from reports.domain.posting import Posting
from reports.wire.leads import told
from tests.reports.desk import envelope
from tests.reports.leads import Lead

STEPS = ("assign", *["contact"] * 3, "release", "again", "disqualify", "correct", "touch", "delete", "nobody")


def _news(steps: list[str]) -> list[list[News]]:
    """The news of each event of a lead to which this happens, a minute apart, as far as it can."""
    lead = Lead("leads/a", "2026-11-20T08:00", heard="2026-11-20T09:00")
    deleted = closed = False
    for minute, step in enumerate(("assign", *steps)):
        when = f"2026-11-20T10:{minute:02}"
        if deleted:
            lead, deleted, closed = lead.undelete(when), False, lead.stood[0] == "DISQUALIFIED"
        elif step == "delete":
            lead, deleted = lead.delete(when), True
        elif step == "again":
            lead, closed = lead.again(when, "RETURNED" if closed or not lead.owner else "REASSIGNED"), False
        elif step == "disqualify":
            lead, closed = lead.disqualify(when), True
        elif step == "correct":
            lead = lead.correct(when, f"R{minute}")
        elif step == "touch":
            lead = lead.touch(when, f"followUps/{minute % 3}", gone=minute % 2 == 1)
        elif step == "assign" and not closed:
            lead = lead.assign(f"people/{minute}", when)
        elif step == "nobody" and not lead.owner:
            lead = lead.nobody(when)
        elif step in ("contact", "release") and lead.owner and not closed:
            lead = lead.contact(when) if step == "contact" else lead.release(when)
    return [told(event, _cause(event, when)) for event, when in lead.told]


def _cause(event: Message, when: str) -> Cause:
    return Cause(envelope(event, when))


def _folded(events: list[list[News]]) -> domain.Lead:
    lead = domain.Lead()
    for one in (news for event in events for news in event):
        lead = domain.fold(lead, one)
    return lead


def _posted(lead: domain.Lead) -> list[Posting]:
    return sorted(domain.postings(lead), key=repr)


@given(st.data(), st.lists(st.sampled_from(STEPS), max_size=14))
def test_any_order_and_any_number_of_times_come_to_the_same(data: st.DataObject, steps: list[str]) -> None:
    events = _news(steps)
    again = data.draw(st.lists(st.sampled_from(events), max_size=5))
    shuffled = data.draw(st.permutations([*events, *again]))
    assert _folded(shuffled) == _folded(events)
    assert _posted(_folded(shuffled)) == _posted(_folded(events))


@given(st.lists(st.sampled_from(STEPS), max_size=14))
def test_what_is_known_is_kept_as_plain_data(steps: list[str]) -> None:
    lead = _folded(_news(steps))
    assert domain.FOLDING.read(json.loads(json.dumps(domain.FOLDING.plain(lead)))) == lead


@given(st.lists(st.sampled_from(STEPS), max_size=14))
def test_of_those_captured_no_more_are_answered_or_open_than_there_are(steps: list[str]) -> None:
    facts = [posting.fact for posting in domain.postings(_folded(_news(steps)))]
    captured = facts.count("lead.captured")
    for fact in ("answered", "open", "pooled", "qualified", "disqualified"):
        assert facts.count(f"lead.{fact}") <= captured
    ends = ("open", "pooled", "qualified", "disqualified")
    assert sum(facts.count(f"lead.{fact}") for fact in ends) == captured
    assert facts.count("lead.acknowledged") <= facts.count("lead.assigned")
