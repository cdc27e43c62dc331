"""What is announced of files and visits."""

from __future__ import annotations

from activities.domain.attachment import Attachment
from activities.domain.check_in import CheckIn
from activities.wire.file_messages import attachment, check_in
from dealwright.activities.v1 import events_pb2


def attachment_changed(of: Attachment, deleted: bool) -> events_pb2.AttachmentChanged:
    return events_pb2.AttachmentChanged(attachment=attachment(of), version=of.version, deleted=deleted)


def attachment_added(of: Attachment) -> events_pb2.AttachmentAdded:
    return events_pb2.AttachmentAdded(attachment=attachment(of))


def attachment_removed(of: Attachment) -> events_pb2.AttachmentRemoved:
    return events_pb2.AttachmentRemoved(attachment=attachment(of))


def check_in_changed(of: CheckIn, deleted: bool) -> events_pb2.CheckInChanged:
    return events_pb2.CheckInChanged(check_in=check_in(of), version=of.version, deleted=deleted)


def checked_in(of: CheckIn) -> events_pb2.CheckedIn:
    return events_pb2.CheckedIn(check_in=check_in(of))
