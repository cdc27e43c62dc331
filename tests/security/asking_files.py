"""How each RPC of attachments, check-ins, templates and notices is asked for what is on a record of his own, of a team
mate, and of another team."""

from __future__ import annotations

from google.protobuf.message import Message
from google.type.latlng_pb2 import LatLng

from activities.domain.known import CUSTOMERS, Known
from activities.domain.notice import Kind, Told, Words
from activities.usecases import following, notices
from chassis import ids
from chassis.access import Principal
from dealwright.activities.v1 import files_pb2 as pb
from dealwright.activities.v1 import notices_pb2
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import asks, numbers

_F = "activities.FileService."
_N = "activities.NoticeService."
_PDF = b"%PDF-1.7\n"
_PNG = b"\x89PNG\r\n\x1a\n"


def customer(h: House, who: str, row: str) -> str:
    """A customer whom our copy of records knows: nothing is told over the bus here."""
    name, owner = f"customers/{ids.new_id()}", h.person(who, row)
    with h.runtimes["activities"].transaction() as tx:
        following.know(tx, [Known(name, CUSTOMERS, owner=owner, customer=name, title="公司", version=1)])
    return name


def _owner(h: House, who: str, row: str) -> Principal:
    """Whose record it is, if he may write; he uploads to it, and was there."""
    name = who if row == "own" else row
    return h.root if name == "finance" else h.principals[name]


def _request(record: str, content: bytes = _PDF, kind: str = "contract") -> pb.CreateAttachmentRequest:
    return pb.CreateAttachmentRequest(record=record, kind=kind, content=content, file_name=f"{next(numbers)}")


def _name(h: House, who: str, row: str) -> str:
    return str(h.do(_F + "CreateAttachment", _request(customer(h, who, row)), _owner(h, who, row)).name)


def _visit(h: House, who: str, row: str) -> pb.CheckIn:
    record, owner = customer(h, who, row), _owner(h, who, row)
    photo, signature = (
        h.do(_F + "CreateAttachment", _request(record, _PNG + kind.encode(), kind), owner).name
        for kind in ("photo", "signature")
    )
    place = LatLng(latitude=31.2, longitude=121.5)
    return pb.CheckIn(record=record, location=place, photo=photo, signature=signature)


def _check_in(h: House, who: str, row: str) -> str:
    request = pb.CreateCheckInRequest(check_in=_visit(h, who, row))
    return str(h.do(_F + "CreateCheckIn", request, _owner(h, who, row)).name)


asks(_F + "CreateAttachment", PEOPLE)(lambda h, who, row: _request(customer(h, who, row)))
asks(_F + "GetAttachment", PEOPLE)(lambda h, who, row: pb.GetAttachmentRequest(name=_name(h, who, row)))
asks(_F + "DownloadAttachment", PEOPLE)(lambda h, who, row: pb.DownloadAttachmentRequest(name=_name(h, who, row)))
asks(_F + "DeleteAttachment", PEOPLE)(lambda h, who, row: pb.DeleteAttachmentRequest(name=_name(h, who, row)))


@asks(_F + "ListAttachments", PEOPLE, lambda h, who, row, answer: "S" if answer.attachments else "U")
def _(h: House, who: str, row: str) -> Message:
    of = h.do(_F + "GetAttachment", pb.GetAttachmentRequest(name=_name(h, who, row)))
    return pb.ListAttachmentsRequest(filter=f'record = "{of.record}"')


@asks(_F + "UpdateAttachment", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.UpdateAttachmentRequest(attachment=pb.Attachment(name=_name(h, who, row), kind="licence"))


@asks(_F + "UndeleteAttachment", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _name(h, who, row)
    h.do(_F + "DeleteAttachment", pb.DeleteAttachmentRequest(name=name))
    return pb.UndeleteAttachmentRequest(name=name)


asks(_F + "CreateCheckIn", PEOPLE)(lambda h, who, row: pb.CreateCheckInRequest(check_in=_visit(h, who, row)))
asks(_F + "GetCheckIn", PEOPLE)(lambda h, who, row: pb.GetCheckInRequest(name=_check_in(h, who, row)))
asks(_F + "UpdateCheckIn", PEOPLE)(
    lambda h, who, row: pb.UpdateCheckInRequest(check_in=pb.CheckIn(name=_check_in(h, who, row), note="新"))
)
asks(_F + "DeleteCheckIn", PEOPLE)(lambda h, who, row: pb.DeleteCheckInRequest(name=_check_in(h, who, row)))


@asks(_F + "ListCheckIns", PEOPLE, lambda h, who, row, answer: "S" if answer.check_ins else "U")
def _(h: House, who: str, row: str) -> Message:
    of = h.do(_F + "GetCheckIn", pb.GetCheckInRequest(name=_check_in(h, who, row)))
    return pb.ListCheckInsRequest(filter=f'record = "{of.record}"')


@asks(_F + "UndeleteCheckIn", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _check_in(h, who, row)
    h.do(_F + "DeleteCheckIn", pb.DeleteCheckInRequest(name=name))
    return pb.UndeleteCheckInRequest(name=name)


# --- templates ---


def _a_template() -> notices_pb2.CreateTemplateRequest:
    template = notices_pb2.Template(display_name=f"模板{next(numbers)}", kind=notices_pb2.Template.MAIL)
    return notices_pb2.CreateTemplateRequest(template=template)


def _template(h: House) -> str:
    return str(h.do(_N + "CreateTemplate", _a_template()).name)


asks(_N + "CreateTemplate")(lambda h, who, row: _a_template())
asks(_N + "GetTemplate")(lambda h, who, row: notices_pb2.GetTemplateRequest(name=_template(h)))
asks(_N + "ListTemplates")(lambda h, who, row: notices_pb2.ListTemplatesRequest())
asks(_N + "DeleteTemplate")(lambda h, who, row: notices_pb2.DeleteTemplateRequest(name=_template(h)))


@asks(_N + "UpdateTemplate")
def _(h: House, who: str, row: str) -> Message:
    template = notices_pb2.Template(name=_template(h), body_zh="您好")
    return notices_pb2.UpdateTemplateRequest(template=template)


@asks(_N + "UndeleteTemplate")
def _(h: House, who: str, row: str) -> Message:
    name = _template(h)
    h.do(_N + "DeleteTemplate", notices_pb2.DeleteTemplateRequest(name=name))
    return notices_pb2.UndeleteTemplateRequest(name=name)


@asks(_N + "RenderTemplate")
def _(h: House, who: str, row: str) -> Message:
    of = h.do(_F + "GetAttachment", pb.GetAttachmentRequest(name=_name(h, who, "own")))
    return notices_pb2.RenderTemplateRequest(name=_template(h), record=of.record)


# --- notices ---


def _told(h: House, who: str, row: str) -> Principal:
    return h.principals[who if row == "own" else row]


def _notice(h: House, who: str, row: str) -> str:
    """One that he, a team mate or somebody of another team was told."""
    person, number = h.person(who, row), next(numbers)
    words = Words("新", "New")
    with h.runtimes["activities"].transaction() as tx:
        notices.tell(tx, [Told(person, Kind.NOTIFY, f"leads/{number:032x}", words, "services/test", f"test {number}")])
    found = h.do(_N + "ListNotifications", notices_pb2.ListNotificationsRequest(page_size=1), _told(h, who, row))
    return str(found.notifications[0].name)


asks(_N + "GetNotification", PEOPLE)(lambda h, w, row: notices_pb2.GetNotificationRequest(name=_notice(h, w, row)))
asks(_N + "MarkReadNotification", PEOPLE)(
    lambda h, who, row: notices_pb2.MarkReadNotificationRequest(name=_notice(h, who, row))
)
asks(_N + "BatchMarkReadNotifications", PEOPLE)(
    lambda h, who, row: notices_pb2.BatchMarkReadNotificationsRequest(names=[_notice(h, who, row)])
)


@asks(_N + "ListNotifications", PEOPLE, lambda h, who, row, answer: "S" if answer.notifications else "U")
def _(h: House, who: str, row: str) -> Message:
    found = h.do(
        _N + "GetNotification", notices_pb2.GetNotificationRequest(name=_notice(h, who, row)), _told(h, who, row)
    )
    return notices_pb2.ListNotificationsRequest(filter=f'record = "{found.record}"')


asks(_N + "GetNotificationPreference")(lambda h, who, row: notices_pb2.GetNotificationPreferenceRequest())


@asks(_N + "UpdateNotificationPreference")
def _(h: House, who: str, row: str) -> Message:
    number = next(numbers)  # another set each time, so that each call changes something
    kinds = [kind + 1 for kind in range(14) if number >> kind & 1]
    preference = notices_pb2.NotificationPreference(mail_kinds=kinds)  # type: ignore[arg-type]
    return notices_pb2.UpdateNotificationPreferenceRequest(notification_preference=preference)
