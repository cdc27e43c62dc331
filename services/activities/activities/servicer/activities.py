"""ActivityService: one part for each noun."""

from __future__ import annotations

from activities.servicer.follow_ups import FollowUps
from activities.servicer.histories import ChangeRequests, Histories
from activities.servicer.tasks import Tasks
from chassis.service import Runtime
from dealwright.activities.v1 import activities_pb2 as pb


class ActivityServicer(FollowUps, Tasks, ChangeRequests, Histories):
    descriptor = pb.DESCRIPTOR.services_by_name["ActivityService"]

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
