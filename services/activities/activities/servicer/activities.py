"""ActivityService."""

from __future__ import annotations

from dealwright.activities.v1 import activities_pb2 as pb


class ActivityServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["ActivityService"]
