"""Notices that go by mail, through a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from activities.usecases import mails
from activities.usecases.settings import PART
from dealwright.activities.v1 import files_pb2, notices_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory
from dealwright.leads.v1 import events_pb2 as leads
from dealwright.rules.v1 import events_pb2 as rules
from tests.activities import post
from tests.activities.desk import ADMIN, LI, Desk, later, refused
from tests.activities.post import Box
from tests.activities.samples import PDF
from tests.activities.test_notices import DEAL, inbox

Notice = notices_pb2.Notification

pytestmark = pytest.mark.usefixtures("known_records")


@pytest.fixture
def box(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """A mail server that this desk sends through, and an address for everybody."""
    with post.opened() as opened:
        monkeypatch.setenv("DEALWRIGHT_SMTP_URL", opened.url)
        monkeypatch.setenv("DEALWRIGHT_MAIL_FROM", "CRM <crm@example.com>")
        people = [directory_pb2.Person(name=f"people/{n}", email=f"{n}@example.cn") for n in ("li", "boss", "zhao")]
        desk.hear("addresses", *(directory.PersonChanged(person=person, version=1) for person in people))
        yield opened


def rule(desk: Desk, origin: str = "1", person: str = "people/li", **parameters: str) -> None:
    """A rule asks for a mail."""
    asked = rules.ActionRequested(subject=DEAL, action="MAIL", person=person, origin=origin, text_zh="请尽快跟进")
    asked.parameters.update(parameters)
    desk.hear("notify", asked)


def state(desk: Desk) -> Any:
    return Notice.MailState.Name(inbox(desk).notifications[0].mail_state)


def test_F9_a_warning_goes_by_mail_under_its_subject(desk: Desk, box: Box) -> None:
    rule(desk, subject_zh="【高优商机跟进预警】仓储项目已超过7天未跟进")
    assert (state(desk), box.letters) == ("WAITING", [])
    assert mails.send_due(desk.runtime)
    assert not mails.send_due(desk.runtime)
    (letter,) = box.letters
    assert letter["Subject"] == "【高优商机跟进预警】仓储项目已超过7天未跟进"
    assert (letter["To"], letter["From"]) == ("li@example.cn", "CRM <crm@example.com>")
    assert letter["Message-ID"].endswith("@example.com>")
    assert letter.get_content() == "请尽快跟进\n"
    assert state(desk) == "SENT"


def test_K4_a_contract_that_ends_is_mailed_to_those_whom_the_rule_names(desk: Desk, box: Box) -> None:
    for person in ("people/li", "people/boss"):
        event = rules.ActionRequested(
            subject=f"contracts/{1:032x}", action="NOTIFY", person=person, text_zh="合同即将到期", origin="ends"
        )
        event.parameters.update({"on": "CONTRACT_EXPIRING"})
        desk.hear("notify", event)
    mails.send_due(desk.runtime)
    assert {letter["To"] for letter in box.letters} == {"li@example.cn", "boss@example.cn"}
    assert {letter["Subject"] for letter in box.letters} == {"合同即将到期"}


def test_O27_a_rule_mails_a_template_with_its_attachments(desk: Desk, box: Box) -> None:
    (made,) = desk.call("ListTemplates", notices_pb2.ListTemplatesRequest(), ADMIN).templates
    assert made.display_name == "标准解决方案", "what the shipped automation sends"
    upload = files_pb2.CreateAttachmentRequest(record=made.name, kind="solution", content=PDF, file_name="标准方案.pdf")
    file = desk.call("CreateAttachment", upload, ADMIN)
    update = notices_pb2.UpdateTemplateRequest(template=notices_pb2.Template(name=made.name, attachments=[file.name]))
    desk.call("UpdateTemplate", update, ADMIN)
    rule(desk, template="标准解决方案")
    mails.send_due(desk.runtime)
    (letter,) = box.letters
    assert letter["Subject"].startswith("标准方案模板：")
    text, attached = letter.iter_parts()
    assert "六、服务与保障" in text.get_content()
    assert text.get_content().startswith("请尽快跟进\n\n")
    assert (attached.get_filename(), attached.get_content_type()) == ("标准方案.pdf", "application/pdf")
    assert attached.get_content() == PDF
    assert list(inbox(desk).notifications[0].attachments) == [file.name]


def test_a_mail_waits_for_its_server_longer_each_time_and_goes_out_once(
    desk: Desk, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = box.url
    monkeypatch.setenv("DEALWRIGHT_SMTP_URL", "smtp://127.0.0.1:9")
    rule(desk)
    assert mails.send_due(desk.runtime)
    monkeypatch.setenv("DEALWRIGHT_SMTP_URL", there)
    assert not mails.send_due(desk.runtime), "it is not due yet"
    box.answers = ["451 later"]
    with later(timedelta(seconds=31), monkeypatch):
        mails.send_due(desk.runtime)
    with later(timedelta(seconds=75), monkeypatch):
        assert not mails.send_due(desk.runtime), "the second wait is longer"
    assert (box.letters, state(desk)) == ([], "WAITING")
    with later(timedelta(seconds=100), monkeypatch):
        mails.send_due(desk.runtime)
        mails.send_due(desk.runtime)
    assert (len(box.letters), state(desk)) == (1, "SENT")


def test_a_mail_that_may_have_arrived_is_not_sent_again(desk: Desk, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.answers = ["drop"]
    rule(desk)
    mails.send_due(desk.runtime)
    assert (len(box.letters), state(desk)) == (1, "UNCERTAIN")
    with later(timedelta(hours=1), monkeypatch):
        assert not mails.send_due(desk.runtime)
    assert len(box.letters) == 1


def test_a_process_that_died_with_a_mail_in_hand_leaves_it_uncertain_and_unsent(
    desk: Desk, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(desk)
    with monkeypatch.context() as dying:
        dying.setattr(mails, "_sent", lambda *_: pytest.exit("killed"))
        with pytest.raises(BaseException, match="killed"):
            mails.send_due(desk.runtime)
    assert not mails.send_due(desk.runtime), "another process may still be at it"
    with later(timedelta(minutes=11), monkeypatch):
        mails.send_due(desk.runtime)
    assert (box.letters, state(desk)) == ([], "UNCERTAIN")


def test_a_mail_that_no_server_will_ever_take_has_failed(desk: Desk, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.answers = ["554 no"]
    rule(desk)
    mails.send_due(desk.runtime)
    assert state(desk) == "FAILED"
    rule(desk, "2")
    monkeypatch.setenv("DEALWRIGHT_SMTP_URL", "smtp://127.0.0.1:9")
    with later(timedelta(days=1, minutes=1), monkeypatch):
        mails.send_due(desk.runtime)
    assert state(desk) == "FAILED"
    desk.hear("addresses", directory.PersonChanged(person=directory_pb2.Person(name="people/li"), version=2))
    rule(desk, "3")
    mails.send_due(desk.runtime)
    assert state(desk) == "FAILED", "nobody to send it to"
    assert box.letters == []


def test_where_no_server_is_set_nothing_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEALWRIGHT_SMTP_URL", raising=False)
    rule(desk)
    assert state(desk) == "MAIL_STATE_UNSPECIFIED"
    assert not mails.send_due(desk.runtime)


def test_L20_people_say_what_goes_to_them_by_mail_and_the_company_what_goes_to_the_others(desk: Desk, box: Box) -> None:
    def prefer(**preference: Any) -> notices_pb2.NotificationPreference:
        request = notices_pb2.UpdateNotificationPreferenceRequest(
            notification_preference=notices_pb2.NotificationPreference(**preference)
        )
        answer: notices_pb2.NotificationPreference = desk.call("UpdateNotificationPreference", request)
        return answer

    def assigned(number: int) -> str:
        desk.hear("leads", leads.LeadAssigned(lead=f"leads/{number:032x}", owner="people/li"))
        return str(state(desk))

    before = desk.call("GetNotificationPreference", notices_pb2.GetNotificationPreferenceRequest())
    assert before.company_default
    assert assigned(1) == "MAIL_STATE_UNSPECIFIED"
    assert list(prefer(mail_kinds=["LEAD_ASSIGNED"]).mail_kinds) == [Notice.LEAD_ASSIGNED]
    assert assigned(2) == "WAITING"
    mails.send_due(desk.runtime)
    assert "您有一条新线索待处理,请在2小时内联系客户" in box.letters[0].get_content()
    prefer(mail_kinds=[])
    assert assigned(3) == "MAIL_STATE_UNSPECIFIED"
    assert prefer(company_default=True) == before
    with desk.runtime.transaction(ADMIN) as tx:
        PART.apply(tx, {"notices": {"mail": ["LEAD_ASSIGNED"]}}, 0)
    assert assigned(4) == "WAITING"
    with refused("INVALID", "notification_preference.mail_kinds"):
        desk.call(
            "UpdateNotificationPreference",
            notices_pb2.UpdateNotificationPreferenceRequest(
                notification_preference=notices_pb2.NotificationPreference(mail_kinds=[99])  # type: ignore[list-item]
            ),
            LI,
        )


@pytest.mark.parametrize("document", ["x", {"mail": "x"}, {"mail": ["PIGEON"]}, {"mail": ["MAIL"]}, {"sms": []}])
def test_a_company_sets_only_what_there_is(desk: Desk, document: Any) -> None:
    with desk.runtime.reading(ADMIN) as tx, pytest.raises(Exception, match="notices"):
        PART.plan(tx, {"notices": document})
