"""Whoever decides about an opportunity reads it, and nobody else."""

from __future__ import annotations

from typing import Any

from dealwright.contracts.v1 import approvals_pb2
from dealwright.contracts.v1.events_pb2 import ApprovalChanged
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from tests.opportunities.desk import BOSS, WANG, ZHAO, Desk, refused

RUN = f"approvals/{1:032x}"


def told(desk: Desk, record: str, version: int, name: str = RUN, **reads: bool) -> None:
    approval = approvals_pb2.Approval(name=name, record=record, opportunity=record, flow="requirements")
    event = ApprovalChanged(approval=approval, version=version)
    for person, may in reads.items():
        event.reads[f"people/{person}"] = may
    desk.hear("papers", event)


def reads(desk: Desk, name: str, who: Any) -> bool:
    found = desk.listed(who)
    if not found:
        with refused("NOT_FOUND"):
            desk.get(name, who)
        with refused("NOT_FOUND"):
            desk.call("ListGates", pb.ListGatesRequest(parent=name), who)
        return False
    assert desk.get(name, who).name == name
    assert len(desk.history(name, who)) == 1
    desk.call("ListGates", pb.ListGatesRequest(parent=name), who)
    return True


def test_O19_whoever_decides_about_an_opportunity_reads_it_while_and_after_he_does(desk: Desk) -> None:
    made, _ = desk.open(), desk.open(title="另一个")
    assert not reads(desk, made.name, WANG)
    told(desk, made.name, 1, wang=True, zhao=False)
    assert (reads(desk, made.name, WANG), reads(desk, made.name, ZHAO)) == (True, False)
    # To read, no more; and it is none of his figures.
    with refused("DENIED"):
        desk.change(made.name, who=WANG, title="改")
    with refused("DENIED"):
        desk.act("Share", made.name, WANG, person="people/zhao")
    assert list(desk.call("SummarizeOpportunities", pb.SummarizeOpportunitiesRequest(), WANG).rows) == []
    # He hands it on; older news that comes late changes nothing.
    told(desk, made.name, 3, wang=False, zhao=True)
    told(desk, made.name, 2, wang=True, zhao=False)
    assert (reads(desk, made.name, WANG), reads(desk, made.name, ZHAO)) == (False, True)
    # What one decided earlier is his to read, whatever becomes of another run.
    told(desk, made.name, 1, f"approvals/{2:032x}", wang=True)
    told(desk, made.name, 4, wang=False, zhao=False)
    assert (reads(desk, made.name, WANG), reads(desk, made.name, ZHAO)) == (True, False)
    desk.act("Delete", made.name, BOSS)
    assert not reads(desk, made.name, WANG)


def test_O19_whoever_decides_about_a_quote_of_it_does_not_read_the_opportunity(desk: Desk) -> None:
    made = desk.open()
    told(desk, f"quotes/{1:032x}", 1, wang=True)
    assert not reads(desk, made.name, WANG)
