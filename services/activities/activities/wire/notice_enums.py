"""The enums that lists of templates and notifications filter on."""

from __future__ import annotations

from dealwright.activities.v1 import notices_pb2 as pb

TEMPLATE_KIND = pb.Template.DESCRIPTOR.enum_types_by_name["Kind"]
NOTICE_KIND = pb.Notification.DESCRIPTOR.enum_types_by_name["Kind"]
