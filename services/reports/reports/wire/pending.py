"""What is to be done about records, as others hear of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from chassis.errors import Invalid
from dealwright.reports.v1 import events_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.kpi import Kpi

LONGEST = 200


def wish(request: pb.CreateTasksRequest, now: datetime) -> tuple[str, datetime]:
    """The title and until when. Raises Invalid for a title that is too long, a due time that is past."""
    due_time = request.due_time.ToDatetime(UTC) if request.HasField("due_time") else now + timedelta(days=1)
    wrong = []
    if len(request.title) > LONGEST:
        wrong.append(("title", f"at most {LONGEST} characters", f"最多 {LONGEST} 个字符"))
    if due_time < now:
        wrong.append(("due_time", "is past", "已过去"))
    if wrong:
        raise Invalid(wrong)
    return request.title.strip(), due_time


def report_of(of: Kpi) -> str:
    """The name of the report of a KPI."""
    return f"reports/{of.name.partition('/')[2]}"


def requested(
    record: str, owner: str, key: str, of: Kpi, title: str, due_time: datetime, today: date, creator: str
) -> events_pb2.TaskRequested:
    """The same `key` of the same report on the same day is the same task."""
    report = report_of(of)
    said = events_pb2.TaskRequested(
        record=record,
        owner=owner,
        title=title or f"跟进：{of.display_name_zh or of.display_name}",
        title_en="" if title else f"Follow up: {of.display_name or of.display_name_zh}",
        report=report,
        origin=f"{report}/{key}/{today}",
        creator=creator,
    )
    said.due_time.FromDatetime(due_time)
    return said
