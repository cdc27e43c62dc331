"""Reports that are mailed when a week is over, to each who gets one his own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Protocol

import pytest
import sqlalchemy as sa
import time_machine
from google.protobuf.field_mask_pb2 import FieldMask

from chassis import telemetry
from chassis.access import Principal, Scope
from chassis.errors import Denied, Invalid
from chassis.mail import Letter
from dealwright.api.v1.file_pb2 import File
from dealwright.reports.v1 import exports_pb2 as pb
from dealwright.reports.v1 import reports_pb2
from reports.peers import Away
from reports.servicer.exports import ExportServicer
from reports.servicer.mailer import Mailer
from reports.settings import channel
from reports.storage.schedules import mails
from reports.usecases import reading
from tests.activities import post
from tests.activities.post import Box
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import BOSS, LI, WANG, Desk, principal
from tests.reports.exported import Format

Span = pb.ExportSchedule.Span
# A Sunday; the day after, the week is over.
SUNDAY = "2026-11-22T04:00:00+00:00"
MONDAY = datetime.fromisoformat("2026-11-23T01:05:00+00:00")  # 09:05 in Shanghai
WANG_LEADS = replace(principal("people/wang", "manager", Scope.TEAM, "teams/west"))
LI_LEADS = replace(principal("people/li", "manager", Scope.TEAM, "teams/east"))
WHO = {"people/li": LI_LEADS, "people/wang": WANG_LEADS, "people/boss": BOSS}


class Traveller(Protocol):
    def move_to(self, moment: datetime) -> None: ...


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    with post.opened() as opened:
        monkeypatch.setenv("DEALWRIGHT_SMTP_URL", opened.url)
        monkeypatch.setenv("DEALWRIGHT_MAIL_FROM", "CRM <crm@example.com>")
        yield opened


@pytest.fixture
def traveller(desk: Desk) -> Iterator[Traveller]:
    """On Sunday, Li has won 43 219 and Wang 77 773 in the week."""
    with time_machine.travel(SUNDAY, tick=True) as traveller:
        desk.also(ExportServicer(desk.runtime, desk.servicers[0]))
        for amount, owner in ((43219, "people/li"), (77773, "people/wang")):
            deal = Deal(f"opportunities/{desk.number()}", "2026-11-18T10:00", amount, owner).win("2026-11-18T10:00")
            desk.hear(*deal.told)
        yield traveller


def find(person: str) -> tuple[Principal, str] | None:
    who = WHO.get(person)
    return None if who is None else (who, f"{person.partition('/')[2]}@example.cn")


def mailer(desk: Desk, **given: Any) -> Mailer:
    return Mailer(desk.runtime, **{"find": find, **given})


def schedule(desk: Desk, **values: Any) -> pb.ExportSchedule:
    of = pb.ExportSchedule(
        **{
            "display_name": "Week",
            "display_name_zh": "周报",
            "report": "reports/won-amount",
            "format": Format.CSV,
            "span": Span.WEEK,
            "hour": 9,
            "people": ["people/li", "people/wang"],
            "enabled": True,
            **values,
        }
    )
    made: pb.ExportSchedule = desk.call("CreateExportSchedule", pb.CreateExportScheduleRequest(export_schedule=of))
    return made


def file(letter: EmailMessage) -> File:
    (part,) = letter.iter_attachments()
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return File(file_name=part.get_filename() or "", content_type=part.get_content_type(), content=content)


def states(desk: Desk) -> list[str]:
    with desk.runtime.reading() as tx:
        return sorted(row[0] for row in tx.execute(sa.select(mails.c.state)))


def due_again(desk: Desk) -> None:
    """As if the time that somebody had one in hand were over."""
    with desk.runtime.transaction() as tx:
        tx.execute(sa.update(mails).values(due_time=tx.now - timedelta(seconds=1)))


def test_B41_a_weekly_report_goes_out_on_monday_to_each_with_his_own_figures(
    desk: Desk, box: Box, traveller: Traveller
) -> None:
    schedule(desk)
    assert not mailer(desk).step()
    traveller.move_to(MONDAY - timedelta(minutes=10))
    assert not mailer(desk).step()
    traveller.move_to(MONDAY)
    assert mailer(desk).step()
    assert not mailer(desk).step()
    letters = {letter["To"]: letter for letter in box.letters}
    # The boss gets the one that comes with the product.
    assert set(letters) == {"li@example.cn", "wang@example.cn", "boss@example.cn"}
    assert letters["li@example.cn"]["Subject"] == "周报 2026-11-16 – 2026-11-22"
    assert exported.lines(file(letters["li@example.cn"])) == [["赢单金额 (CNY)"], ["43219"]]
    assert exported.lines(file(letters["wang@example.cn"])) == [["赢单金额 (CNY)"], ["77773"]]
    assert states(desk) == ["SENT"] * 3
    traveller.move_to(MONDAY + timedelta(days=7))
    mailer(desk).step()
    assert len(box.letters) == 6


def test_B41_a_report_that_fails_is_made_again_and_leaves_the_others(
    desk: Desk, box: Box, traveller: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule(desk, report="reports/opportunities-won", people=["people/li"])
    schedule(desk, report="reports/won-amount", people=["people/li"])
    traveller.move_to(MONDAY)
    real = reading.table

    def table(tx: Any, of: Any, view: Any) -> Any:
        return 1 / 0 if of.name == "kpis/opportunities-won" else real(tx, of, view)

    monkeypatch.setattr(reading, "table", table)
    before = telemetry.FAILED.labels("reports", "mail")._value.get()
    assert mailer(desk).step()
    assert [exported.lines(file(letter))[0] for letter in box.letters] == [["赢单金额 (CNY)"]]
    assert states(desk) == ["SENT", "WAITING"]
    assert telemetry.FAILED.labels("reports", "mail")._value.get() == before + 1
    monkeypatch.undo()
    monkeypatch.setenv("DEALWRIGHT_SMTP_URL", box.url)
    monkeypatch.setenv("DEALWRIGHT_MAIL_FROM", "CRM <crm@example.com>")
    due_again(desk)
    assert mailer(desk).step()
    assert states(desk) == ["SENT", "SENT"]


def test_B41_a_weekly_report_for_managers_comes_with_the_product(desk: Desk, box: Box, traveller: Traveller) -> None:
    (weekly,) = desk.call("ListExportSchedules", pb.ListExportSchedulesRequest()).export_schedules
    assert (weekly.display_name_zh, weekly.hour, weekly.span, list(weekly.people)) == (
        "销售周报", 9, Span.WEEK, ["roles/manager"],
    )  # fmt: skip
    assert not weekly.enabled  # no mail was set up when the database began
    assert not mailer(desk).step()
    assert _weekly(desk).enabled
    traveller.move_to(MONDAY)
    mailer(desk).step()
    (letter,) = box.letters
    assert letter["To"] == "boss@example.cn"
    pages = exported.pages(file(letter))
    # What the board calls this week is the one that is over.
    won = next(page for page in pages if "赢单数" in page and "2026-11-16" in page)
    assert "43,219.00" in "".join(pages)
    assert "77,773" not in "".join(pages)
    assert won


def _weekly(desk: Desk) -> pb.ExportSchedule:
    (found,) = desk.call("ListExportSchedules", pb.ListExportSchedulesRequest()).export_schedules
    weekly: pb.ExportSchedule = found
    return weekly


def test_B41_the_weekly_report_begins_when_mail_does_unless_somebody_touched_it(
    desk: Desk, traveller: Traveller, request: pytest.FixtureRequest
) -> None:
    weekly = _weekly(desk)
    assert not mailer(desk).step()
    assert not _weekly(desk).enabled
    request.getfixturevalue("box")
    for place, people in enumerate((["people/li"], ["people/li"])):
        changed = pb.ExportSchedule(name=weekly.name, people=people, hour=10 + place)
        mask = FieldMask(paths=["people", "hour"])
        desk.call("UpdateExportSchedule", pb.UpdateExportScheduleRequest(export_schedule=changed, update_mask=mask))
        assert not mailer(desk).step()
        assert not _weekly(desk).enabled


def test_B41_who_says_that_the_weekly_report_is_off_before_mail_is_set_up_is_not_sent_it(
    desk: Desk, traveller: Traveller, request: pytest.FixtureRequest
) -> None:
    off = pb.ExportSchedule(name=_weekly(desk).name, enabled=False)
    asked = pb.UpdateExportScheduleRequest(export_schedule=off, update_mask=FieldMask(paths=["enabled"]))
    desk.call("UpdateExportSchedule", asked)
    box = request.getfixturevalue("box")
    traveller.move_to(MONDAY)
    assert not mailer(desk).step()
    assert not _weekly(desk).enabled
    assert not box.letters


def test_B41_who_ends_the_weekly_report_is_not_sent_it_again(desk: Desk, box: Box, traveller: Traveller) -> None:
    mailer(desk).step()
    off = pb.ExportSchedule(name=_weekly(desk).name, enabled=False)
    asked = pb.UpdateExportScheduleRequest(export_schedule=off, update_mask=FieldMask(paths=["enabled"]))
    desk.call("UpdateExportSchedule", asked)
    traveller.move_to(MONDAY)
    assert not mailer(desk).step()
    assert not _weekly(desk).enabled
    assert not box.letters


def test_B41_what_there_is_is_said_of_the_day_on_which_it_is_mailed(desk: Desk, box: Box, traveller: Traveller) -> None:
    """Last touched on Sunday the 15th: seven days ago on Sunday evening, eight on Monday."""
    desk.hear(*Deal("opportunities/lies", "2026-11-15T10:00", 5).told)
    tiles = [
        reports_pb2.Board.Tile(kpi="kpis/opportunities-untouched-7d", chart=reports_pb2.Board.NUMBER),
        reports_pb2.Board.Tile(kpi="kpis/won-amount", chart=reports_pb2.Board.NUMBER, period="this_week"),
    ]
    of = reports_pb2.Board(display_name="Lies", period="this_week", tiles=tiles)
    desk.call("CreateBoard", reports_pb2.CreateBoardRequest(board_id="lies", board=of))
    schedule(desk, report="reports/lies", people=["people/li"], format=Format.XLSX)
    traveller.move_to(MONDAY)
    mailer(desk).step()
    (letter,) = box.letters
    rows = {row[0]: row for row in exported.table(file(letter))}
    assert rows["超过 7 天未跟进的商机"][1:4] == [1, "", "截至 2026-11-23"]
    assert rows["赢单金额"][1:4] == [43219, "CNY", "2026-11-16 – 2026-11-22"]


def test_B33_a_report_is_mailed_once_whatever_ends_its_sender(desk: Desk, box: Box, traveller: Traveller) -> None:
    schedule(desk, people=["people/li"])
    traveller.move_to(MONDAY)

    class Dies:
        def send(self, letter: Letter) -> None:
            channel().send(letter)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mailer(desk, through=Dies).step()
    due_again(desk)
    mailer(desk).step()
    assert (len(box.letters), states(desk)) == (1, ["UNCERTAIN"])


def test_B33_a_mail_that_could_not_go_for_a_day_is_not_sent_the_next_week(
    desk: Desk, box: Box, traveller: Traveller
) -> None:
    schedule(desk, people=["people/li"])
    traveller.move_to(MONDAY)
    box.answers.append("451 later")
    mailer(desk).step()
    assert states(desk) == ["WAITING"]
    traveller.move_to(MONDAY + timedelta(days=2))
    due_again(desk)
    mailer(desk).step()
    assert (len(box.letters), states(desk)) == (0, ["FAILED"])


def test_B33_a_sender_that_ended_before_it_sent_loses_nothing(desk: Desk, box: Box, traveller: Traveller) -> None:
    schedule(desk, people=["people/li"])
    traveller.move_to(MONDAY)

    def dies(person: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mailer(desk, find=dies).step()
    assert not mailer(desk).step()  # somebody has it in hand, for all that is known
    due_again(desk)
    mailer(desk).step()
    assert (len(box.letters), states(desk)) == (1, ["SENT"])


def test_B33_two_senders_at_once_send_one(desk: Desk, box: Box, traveller: Traveller) -> None:
    schedule(desk, people=["people/li"])
    traveller.move_to(MONDAY)

    def slow(person: str) -> Any:
        due_again(desk)
        assert mailer(desk).step()  # another took it meanwhile
        return find(person)

    mailer(desk, find=slow).step()
    assert (len(box.letters), states(desk)) == (1, ["SENT"])


def test_B33_a_mail_waits_for_the_directory_and_for_the_server(desk: Desk, box: Box, traveller: Traveller) -> None:
    schedule(desk, people=["people/li"])
    traveller.move_to(MONDAY)

    def away(person: str) -> None:
        raise Away("directory")

    mailer(desk, find=away).step()
    assert states(desk) == ["WAITING"]
    due_again(desk)
    box.answers.append("451 later")
    mailer(desk).step()
    assert (len(box.letters), states(desk)) == (0, ["WAITING"])
    due_again(desk)
    mailer(desk).step()
    assert (len(box.letters), states(desk)) == (1, ["SENT"])


def test_B33_who_may_export_nothing_who_has_left_and_who_has_no_address_get_nothing(
    desk: Desk, box: Box, traveller: Traveller
) -> None:
    schedule(desk, people=["people/li", "people/wang", "people/zhao", "people/boss"])
    traveller.move_to(MONDAY)
    may = LI_LEADS.grants["opportunities"]
    reader = replace(LI, grants={**LI.grants, "opportunities": replace(may, export=Scope.NONE)})
    unable = replace(WANG, grants={**WANG.grants, "reports": replace(may, export=Scope.NONE)})
    known = {
        "people/li": (reader, "li@example.cn"),
        "people/wang": (unable, "wang@example.cn"),
        "people/boss": (BOSS, ""),
    }
    mailer(desk, find=known.get).step()
    assert (box.letters, states(desk)) == ([], ["FAILED"] * 4)


def test_B33_without_a_mail_server_nothing_is_begun(desk: Desk, traveller: Traveller) -> None:
    schedule(desk)
    traveller.move_to(MONDAY)
    assert not mailer(desk).step()
    assert states(desk) == []


@pytest.mark.usefixtures("traveller")
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("report", {"report": "reports/none"}),
        ("report", {"report": "kpis/won-amount"}),
        ("group_by", {"group_by": ["weather"]}),
        ("filter", {"filter": "weather = bad"}),
        ("filter", {"filter": "region"}),
        ("format", {"format": 0}),
        ("span", {"span": 0}),
        ("hour", {"hour": 24}),
        ("people", {"people": []}),
        ("people", {"people": ["people/nobody"]}),
        ("language", {"language": "fr"}),
        ("display_name", {"display_name": ""}),
    ],
)
def test_B33_a_schedule_that_makes_no_sense_is_refused_by_its_field(
    desk: Desk, field: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refused:
        schedule(desk, **wrong)
    assert [one.field for one in refused.value.violations] == [f"export_schedule.{field}"]


def test_B41_what_became_of_the_mails_can_be_read(desk: Desk, box: Box, traveller: Traveller) -> None:
    desk.hire(("people/gone", "teams/east", "sales"))
    made = schedule(desk, people=["people/li", "people/gone"])
    traveller.move_to(MONDAY)
    mailer(desk).step()

    def mails_of(**asked: Any) -> Any:
        return desk.call("ListExportMails", pb.ListExportMailsRequest(parent=made.name, **asked))

    found = {one.person: one for one in mails_of().mails}
    sent, failed = found["people/li"], found["people/gone"]
    assert (sent.state, sent.reason, sent.tries) == (pb.ExportMail.SENT, "", 1)
    assert (sent.begin_date, sent.end_date) == ("2026-11-16", "2026-11-22")
    assert (failed.state, failed.reason) == (pb.ExportMail.FAILED, "nobody's address")
    assert [one.person for one in mails_of(filter="state = FAILED").mails] == ["people/gone"]
    first = mails_of(page_size=1)
    second = mails_of(page_size=1, page_token=first.next_page_token)
    assert {one.person for page in (first, second) for one in page.mails} == set(found)
    with pytest.raises(Denied):
        desk.call("ListExportMails", pb.ListExportMailsRequest(parent=made.name), LI)


@pytest.mark.usefixtures("traveller")
def test_B33_schedules_are_the_companys(desk: Desk) -> None:
    made = schedule(desk)
    with pytest.raises(Denied):
        desk.call("GetExportSchedule", pb.GetExportScheduleRequest(name=made.name), LI)
    desk.call("DeleteExportSchedule", pb.DeleteExportScheduleRequest(name=made.name))
    back = desk.call("UndeleteExportSchedule", pb.UndeleteExportScheduleRequest(name=made.name))
    assert back.report == "reports/won-amount"
