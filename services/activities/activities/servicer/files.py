"""FileService."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from activities.servicer.requests import checked
from activities.servicer.waiting import for_records
from activities.usecases import attachments, check_ins, records, storing
from activities.wire import file_messages as messages
from chassis import records as kept
from chassis.fields import FieldCheck
from chassis.rpc import Call, command, outside, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from dealwright.activities.v1 import files_pb2 as pb
from dealwright.api.v1 import file_pb2

_CHANGEABLE = ("kind", "file_name")


@dataclass(frozen=True, slots=True)
class _Upload:
    values: dict[str, str]
    stored: storing.Stored


def _records(request: Any) -> list[str]:
    """What a request is about, where others tell of it; templates are our own."""
    record = (request.check_in if hasattr(request, "check_in") else request).record
    return [] if record.startswith("templates/") else [record]


_wait = for_records(_records)


def _upload(servicer: FileServicer, call: Call[pb.CreateAttachmentRequest]) -> _Upload:
    """Before the transaction opens: what the file is, and its bytes in the store. Raises Invalid, NotFound."""
    request, check = call.request, FieldCheck()
    check.take("record", messages.record, request.record)
    check.take("kind", messages.kind, request.kind)
    most = servicer.runtime.settings.max_upload_bytes
    if len(request.content) > most:
        check.refuse("content", f"is larger than {most // 1024 // 1024} MB", f"超过 {most // 1024 // 1024} MB")
    else:
        agreed = check.take("content", attachments.agreed, request.content, request.file_name, request.content_type)
    checked(request, check)
    assert agreed is not None
    _wait(servicer, call)
    with servicer.runtime.reading(call.principal) as tx:  # no bytes for whoever may not
        records.require(tx, request.record)
    values = {
        "record": request.record,
        "kind": request.kind,
        "file_name": agreed[0],
        "content_type": agreed[1],
    }
    return _Upload(values, storing.stored(storing.opened(servicer.runtime), request.content))


def _visited(servicer: FileServicer, call: Call[pb.CreateCheckInRequest]) -> None:
    check = FieldCheck()
    messages.values_of_check_in(call.request.check_in, check)
    checked(call.request, check)
    _wait(servicer, call)


class FileServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["FileService"]

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @command(fetch=_upload)
    def CreateAttachment(self, tx: Transaction, request: pb.CreateAttachmentRequest) -> pb.Attachment:
        found: _Upload = tx.fetched
        return messages.attachment(attachments.create(tx, found.values, found.stored))

    @query
    def GetAttachment(self, tx: Transaction, request: pb.GetAttachmentRequest) -> pb.Attachment:
        return messages.attachment(attachments.find(tx, request.name, request.show_deleted))

    @query
    def ListAttachments(self, tx: Transaction, request: pb.ListAttachmentsRequest) -> pb.ListAttachmentsResponse:
        found, token, total = attachments.page(tx, request)
        return pb.ListAttachmentsResponse(
            attachments=map(messages.attachment, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateAttachment(self, tx: Transaction, request: pb.UpdateAttachmentRequest) -> pb.Attachment:
        of, check = request.attachment, FieldCheck()
        values: dict[str, Any] = {}
        for name in kept.paths(request.update_mask.paths, of, _CHANGEABLE):
            values[name] = getattr(of, name)
        if "kind" in values:
            check.take("attachment.kind", messages.kind, of.kind)
        checked(request, check)
        return messages.attachment(attachments.change(tx, of.name, of.etag, values))

    @command
    def DeleteAttachment(self, tx: Transaction, request: pb.DeleteAttachmentRequest) -> pb.Attachment:
        checked(request)
        return messages.attachment(attachments.delete(tx, request.name, request.etag))

    @command
    def UndeleteAttachment(self, tx: Transaction, request: pb.UndeleteAttachmentRequest) -> pb.Attachment:
        checked(request)
        return messages.attachment(attachments.undelete(tx, request.name))

    @outside
    def DownloadAttachment(self, call: Call[pb.DownloadAttachmentRequest]) -> file_pb2.File:
        with self.runtime.reading(call.principal) as tx:
            of = attachments.find(tx, call.request.name)
        # The bytes are read with no connection in hand.
        data = attachments.content(storing.opened(self.runtime), of)
        return file_pb2.File(file_name=of.file_name, content_type=of.content_type, content=data)

    @command(fetch=_visited)
    def CreateCheckIn(self, tx: Transaction, request: pb.CreateCheckInRequest) -> pb.CheckIn:
        values = messages.values_of_check_in(request.check_in, FieldCheck())
        return messages.check_in(check_ins.create(tx, values))

    @query
    def GetCheckIn(self, tx: Transaction, request: pb.GetCheckInRequest) -> pb.CheckIn:
        return messages.check_in(check_ins.find(tx, request.name, request.show_deleted))

    @query
    def ListCheckIns(self, tx: Transaction, request: pb.ListCheckInsRequest) -> pb.ListCheckInsResponse:
        found, token, total = check_ins.page(tx, request)
        return pb.ListCheckInsResponse(
            check_ins=map(messages.check_in, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateCheckIn(self, tx: Transaction, request: pb.UpdateCheckInRequest) -> pb.CheckIn:
        of, check = request.check_in, FieldCheck()
        named = kept.paths(request.update_mask.paths, of, tuple(messages.CHECK_IN))
        values = messages.changed_check_in(of, named, check)
        checked(request, check)
        return messages.check_in(check_ins.change(tx, of.name, of.etag, values))

    @command
    def DeleteCheckIn(self, tx: Transaction, request: pb.DeleteCheckInRequest) -> pb.CheckIn:
        checked(request)
        return messages.check_in(check_ins.delete(tx, request.name, request.etag))

    @command
    def UndeleteCheckIn(self, tx: Transaction, request: pb.UndeleteCheckInRequest) -> pb.CheckIn:
        checked(request)
        return messages.check_in(check_ins.undelete(tx, request.name))
