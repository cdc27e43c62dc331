"""What leads add to the figures."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from chassis.access import Scope
from chassis.errors import Denied
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.kpi import evenness
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, moment, principal
from tests.reports.leads import Lead

DAY = "2026-11-20"


def _at(hour: str) -> str:
    return f"{DAY}T{hour}"


def _tell(desk: Desk, *leads: Lead) -> None:
    desk.hear(*(told for lead in leads for told in lead.told))


def _house() -> list[Lead]:
    """Web: 1 h and 3 h, Douyin: 5 h, the show: nobody yet."""
    return [
        Lead("leads/a", _at("09:00")).assign("people/li", _at("09:10")).contact(_at("10:00")),
        Lead("leads/b", _at("09:30")).assign("people/li", _at("09:30")).contact(_at("12:30")),
        Lead("leads/c", _at("10:00"), "DOUYIN", "华南").assign("people/wang", _at("11:00")).contact(_at("15:00")),
        Lead("leads/d", _at("10:15"), "TRADE_SHOW").assign("people/zhao", _at("10:15")),
    ]


def _by(desk: Desk, kpi: str, group: str, **asked: Any) -> dict[str, float]:
    found = desk.figures(kpi, group_by=[group], period=DAY, **asked)
    return {key: value for key, value in found.items() if value is not None}


def test_B37_V7_ctre_is_the_sum_of_each_channels_time_by_its_share(desk: Desk) -> None:
    _tell(desk, *_house())
    times = _by(desk, "ctre", "channel")
    assert times == {"WEB_FORM": 2, "DOUYIN": 5}
    captured = {"WEB_FORM": 2, "DOUYIN": 1}  # and one of the show, which has no time yet
    shares = {channel: count / 3 for channel, count in captured.items()}
    assert desk.figure("ctre", period=DAY) == pytest.approx(sum(times[c] * shares[c] for c in times))
    assert desk.report("ctre", period=DAY).total.figure.left_out == 1
    # As first written: divided once more by all leads, the unanswered among them.
    assert desk.figure("ctre-literal", period=DAY) == pytest.approx(3 / 4)


def test_B38_the_published_figures_are_the_weighted_mean(desk: Desk) -> None:
    times = {"WEB_FORM": 126, "DOUYIN": 318, "TRADE_SHOW": 534}  # minutes: 2.1, 5.3 and 8.9 hours
    shares = {"WEB_FORM": 46, "DOUYIN": 30, "TRADE_SHOW": 24}
    for channel, count in shares.items():
        for n in range(count):
            until = f"{8 + times[channel] // 60:02}:{times[channel] % 60:02}"
            lead = Lead(f"leads/{channel}{n}", _at("08:00"), channel).assign("people/li", _at("08:00"))
            desk.hear(*lead.contact(_at(until)).told, roll=False)
    desk.roll()
    assert round(desk.figure("ctre", period=DAY) or 0, 1) == 4.7
    assert _by(desk, "ctre", "channel") == pytest.approx({"WEB_FORM": 2.1, "DOUYIN": 5.3, "TRADE_SHOW": 8.9})


def test_V8_evenness_is_another_number_and_needs_no_grouping(desk: Desk) -> None:
    _tell(desk, *_house())
    assert desk.figure("ctre-evenness", period=DAY) == pytest.approx(evenness([2, 5]))
    assert desk.figure("ctre-evenness", period=DAY, group_by=["channel"]) == pytest.approx(evenness([2, 5]))
    # Whatever it is grouped by: each row is how even the channels of that group are, one alone is neither.
    assert _by(desk, "ctre-evenness", "channel") == {}
    said = desk.report("ctre-evenness", period=DAY, group_by=["industry"])
    assert [row.figure.value for row in said.rows] == pytest.approx([evenness([2, 5])])
    assert said.total.figure.value == pytest.approx(evenness([2, 5]))
    by_owner = desk.report("ctre-evenness", period=DAY, group_by=["owner"])
    assert by_owner.total.figure.value == pytest.approx(evenness([2, 5]))
    _tell(desk, Lead("leads/e", _at("10:00")).assign("people/li", _at("10:00")).contact(_at("21:00")))  # web: 5 h
    assert desk.figure("ctre-evenness", period=DAY) == pytest.approx(1)


def test_V9_from_the_capture_and_from_the_assignment_are_two_clocks(desk: Desk) -> None:
    lead = Lead("leads/a", _at("08:00")).assign("people/li", _at("09:00")).assign("people/zhao", _at("13:00"))
    _tell(desk, lead.contact(_at("13:30")))
    assert desk.figure("ctre", period=DAY) == 5.5
    assert desk.figure("acknowledge-time", period=DAY) == 0.5
    assert _by(desk, "acknowledged-within-2h", "owner") == {"people/li": 0, "people/zhao": 1}
    assert desk.figure("leads-assigned", period=DAY) == 2


def test_X2_X16_X17_how_many_are_answered_within_an_hour_and_within_four(desk: Desk) -> None:
    _tell(desk, *_house())
    assert desk.figure("answered-within-1h", period=DAY) == 1 / 4
    assert desk.figure("answered-within-4h", period=DAY) == 2 / 4
    assert desk.figure("answered-rate", period=DAY) == 3 / 4
    assert _by(desk, "answered-within-4h", "channel") == {"WEB_FORM": 1, "DOUYIN": 0, "TRADE_SHOW": 0}


def test_B35_B36_L28_X19_channels_by_the_hour_come_out_of_sums_kept_by_the_hour(desk: Desk) -> None:
    _tell(desk, *_house())
    assert desk.counted("leads-captured", period=DAY, group_by=["channel", "hour"]) == {
        ("WEB_FORM", f"{DAY}T09"): 2,
        ("DOUYIN", f"{DAY}T10"): 1,
        ("TRADE_SHOW", f"{DAY}T10"): 1,
    }
    assert _by(desk, "ctre", "hour") == {f"{DAY}T09": 2, f"{DAY}T10": 5}
    # Without the postings they are the same: nothing else is asked.
    with desk.runtime.transaction() as tx:
        from reports.storage.tables import postings

        tx.execute(postings.delete())
    assert _by(desk, "ctre", "hour", filter="channel = DOUYIN") == {f"{DAY}T10": 5}


def test_L30_a_scan_heard_of_late_corrects_its_own_hour_and_what_was_known_stays(desk: Desk) -> None:
    web = Lead("leads/a", _at("10:30")).assign("people/li", _at("10:30")).contact(_at("11:30"))
    _tell(desk, web)
    scan = Lead("leads/b", _at("10:00"), "TRADE_SHOW", heard=_at("15:00"))
    _tell(desk, scan.assign("people/li", _at("15:00")).contact(_at("15:30")))
    ten = f"{DAY}T10"
    assert desk.counted("leads-captured", period=DAY, group_by=["hour"]) == {ten: 2}
    assert _by(desk, "ctre", "hour") == {ten: (1 + 5.5) / 2}
    for kpi, then in (("leads-captured", 1), ("ctre", 1)):
        assert desk.counted(kpi, period=DAY, group_by=["hour"], as_of=_at("12:00")) == {ten: then}
    assert desk.figure("ctre", period=DAY, as_of=_at("15:10")) == 1
    assert desk.figure("leads-captured", period=DAY, as_of=_at("15:10")) == 2


@pytest.mark.parametrize("backwards", [False, True], ids=["as it was told", "the other way round"])
def test_L30_B37_a_late_scan_of_a_known_visitor_corrects_when_and_where_he_came_from_and_what_was_known_stays(
    desk: Desk, backwards: bool
) -> None:
    """He wrote at four, was answered in half an hour, and had been scanned at ten by a device without a network."""
    lead = Lead("leads/a", _at("16:00")).assign("people/li", _at("16:10")).contact(_at("16:30"))
    deal = Deal("opportunities/a", _at("17:00"), 700, fields={"lead": "leads/a"}).win(_at("18:00"))
    told = [*lead.scanned(_at("19:00"), _at("10:00"), "TRADE_SHOW").told, *deal.told]
    desk.hear(*(reversed(told) if backwards else told))
    ten, four = f"{DAY}T10", f"{DAY}T16"
    now = {"ctre": 6.5, "source-won-amount": 700, "leads-captured": 1, "answered-within-1h": 0}
    then = {"ctre": 0.5, "source-won-amount": 700, "leads-captured": 1, "answered-within-1h": 1}
    for kpi in now:
        asked: dict[str, Any] = {"period": DAY, "group_by": ["channel", "hour"]}
        found = desk.figures(kpi, **asked)
        assert ({channel for channel, _ in found}, found["TRADE_SHOW", ten]) == ({"TRADE_SHOW"}, now[kpi])
        if not backwards:  # what is heard of earlier than of what it follows is known with that
            assert desk.counted(kpi, **asked, as_of=_at("18:59")) == {("WEB_FORM", four): then[kpi]}
    # The other clock began with the assignment, and goes on as it was.
    assert desk.figure("acknowledge-time", period=DAY) == pytest.approx(1 / 3)
    assert desk.figures("opportunities-won", period=DAY, group_by=["channel"]) == {"TRADE_SHOW": 1}


def test_a_lead_that_is_deleted_is_in_no_figure_until_it_comes_back(desk: Desk) -> None:
    lead = Lead("leads/a", _at("09:00")).assign("people/li", _at("09:10")).contact(_at("10:00"))
    _tell(desk, lead.delete(_at("11:00")))
    for kpi in ("leads-captured", "leads-open", "leads-assigned"):
        assert not desk.figure(kpi, period=DAY)
    assert desk.figure("ctre", period=DAY) is None
    desk.hear(lead.undelete(_at("12:00")).told[-1])
    assert desk.figure("leads-captured", LI, period=DAY) == 1
    assert desk.figure("leads-assigned", period=DAY) == 1
    assert _by(desk, "leads-open", "detail") == {"CONTACTED": 1}
    assert desk.figure("ctre", period=DAY) == 1
    desk.hear(lead.delete(_at("13:00")).told[-1], lead.remove(_at("14:00")).told[-1])
    assert not desk.figure("leads-captured", period=DAY)
    assert desk.figure("leads-captured", period=DAY, as_of=_at("12:30")) == 1


def test_L21_a_deleted_lead_comes_back_to_the_pool_or_closed_for_the_reason_and_since_when_it_was_so(
    desk: Desk,
) -> None:
    pooled = Lead("leads/a", _at("09:00")).assign("people/li", _at("09:10")).release(_at("10:00"), "INACTIVE")
    closed = Lead("leads/b", _at("09:00")).assign("people/li", _at("09:10")).disqualify(_at("10:00"), "NO_BUDGET")
    _tell(desk, pooled.delete(_at("11:00")).undelete(_at("12:00")), closed.delete(_at("11:00")).undelete(_at("12:00")))
    assert _by(desk, "leads-disqualified", "reason") == {"NO_BUDGET": 1}
    assert _by(desk, "leads-pooled", "reason") == {"INACTIVE": 1}
    (one,) = desk.call("ListRecords", pb.ListRecordsRequest(parent="reports/leads-pooled", period="all")).records
    assert one.happen_time.ToDatetime(UTC) == moment(_at("10:00"))


def test_B23_what_becomes_of_a_lead_counts_where_it_was_captured(desk: Desk) -> None:
    leads = [
        *_house(),
        Lead("leads/e", _at("09:00")).assign("people/li", _at("09:00")).qualify(_at("10:00")),
        Lead("leads/f", _at("09:00")).assign("people/li", _at("09:00")).disqualify(_at("10:00")),
        Lead("leads/g", _at("09:00")).assign("people/li", _at("09:00")).release(_at("10:00")),
        Lead("leads/h", _at("09:00")).nobody(_at("09:01")),
    ]
    _tell(desk, *leads)
    assert _by(desk, "leads-open", "detail") == {"CONTACTED": 3, "ASSIGNED": 1, "UNASSIGNED": 1}
    assert desk.figure("qualification-rate", period=DAY) == 1 / 8
    assert _by(desk, "leads-disqualified", "reason") == {"NO_BUDGET": 1}
    assert (desk.figure("leads-pooled"), desk.figure("leads-released", period=DAY)) == (1, 1)
    # Who finds out that it is business has answered.
    assert desk.figure("answered-rate", period=DAY) == 4 / 8
    # It comes back: it waits, and is pooled no more.
    desk.hear(leads[5].again(_at("11:00")).told[-1], leads[6].again(_at("11:00")).told[-1])
    assert _by(desk, "leads-open", "detail") == {"CONTACTED": 3, "ASSIGNED": 1, "UNASSIGNED": 1, "WAITING": 2}
    assert not desk.figure("leads-pooled")
    assert not desk.figure("leads-disqualified", period=DAY)


def test_whoever_has_a_lead_keeps_it_until_another_is_found(desk: Desk) -> None:
    lead = Lead("leads/a", _at("09:00")).assign("people/li", _at("09:00"))
    _tell(desk, lead.again(_at("09:30"), "FIRST_RESPONSE_MISSED"))
    assert _by(desk, "leads-open", "detail") == {"ASSIGNED": 1}
    assert desk.figure("leads-open", LI) == 1
    desk.hear(lead.assign("people/zhao", _at("09:31")).told[-1])
    assert (desk.figure("leads-open", LI) or 0, desk.figure("leads-open", ZHAO)) == (0, 1)


def test_a_corrected_lead_counts_where_it_belongs(desk: Desk) -> None:
    lead = Lead("leads/a", _at("09:00")).correct(_at("10:00"), "华北").correct(_at("11:00"), "西南")
    desk.hear(lead.told[2], lead.told[1], lead.told[0])
    assert _by(desk, "leads-captured", "region") == {"西南": 1}


def test_P12_everybody_counts_the_leads_that_he_may_see(desk: Desk) -> None:
    _tell(desk, *_house(), Lead("leads/e", _at("09:00")))
    seen = {who.person: desk.figure("leads-captured", who, period=DAY) for who in (ADMIN, BOSS, LI, WANG)}
    assert seen == {"people/admin": 5, "people/boss": 4, "people/li": 2, "people/wang": 1}


def test_a_hidden_field_of_leads_is_in_no_figure(desk: Desk) -> None:
    _tell(desk, *_house())
    blind = principal("people/li", "sales", Scope.OWN, "teams/east", hidden=("first_response_time", "region"))
    assert desk.figure("leads-captured", blind, period=DAY) == 2
    for kpi in ("ctre", "answered-within-1h"):
        with pytest.raises(Denied, match=r"leads\.first_response_time"):
            desk.figure(kpi, blind, period=DAY)
    with pytest.raises(Denied, match=r"leads\.region"):
        desk.figures("leads-captured", blind, period=DAY, group_by=["region"])


def test_B23_F11_F17_leads_that_nobody_followed_up_for_days(desk: Desk) -> None:
    from datetime import timedelta

    from chassis import clock

    def ago(days: int) -> str:
        return (clock.now() + timedelta(hours=8) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")

    _tell(
        desk,
        Lead("leads/old", ago(9), "WECHAT").assign("people/li", ago(9)),
        Lead("leads/touched", ago(9), "WECHAT").assign("people/li", ago(9)).touch(ago(1)),
        Lead("leads/gone", ago(9), "WECHAT").assign("people/li", ago(9)).touch(ago(1)).touch(ago(1), gone=True),
        Lead("leads/web", ago(5)).assign("people/li", ago(5)),
        Lead("leads/new", ago(0), "WECHAT").assign("people/li", ago(0)),
    )
    assert desk.figure("leads-untouched-3d") == 3
    assert desk.figure("leads-untouched-7d") == 2
    assert not desk.figure("leads-untouched-14d")
    asked = pb.ListRecordsRequest(parent="reports/leads-untouched-3d", filter="channel = WECHAT")
    assert {one.name for one in desk.call("ListRecords", asked).records} == {"leads/old", "leads/gone"}
