"""What we keep of others' records. A task that nobody wrote and nobody did is nobody's work."""

from __future__ import annotations

import sqlalchemy as sa

from activities.domain.task import Status
from activities.storage.changes import change_requests
from activities.storage.files import attachments, check_ins
from activities.storage.follow_ups import follow_ups
from activities.storage.interactions import interactions
from activities.storage.tasks import tasks
from chassis.belongings import Place

_WORKED = sa.or_(tasks.c.origin == "", tasks.c.status.in_([Status.IN_PROGRESS.value, Status.DONE.value]))
PLACES = (
    Place("followUps", follow_ups.c.record),
    Place("tasks", tasks.c.record, only=_WORKED),
    Place("attachments", attachments.c.record),
    Place("checkIns", check_ins.c.record),
    Place("changeRequests", change_requests.c.record),
    Place("interactions", interactions.c.record),
)
