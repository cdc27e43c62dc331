"""What is known of a follow-up, a task or a check-in, and what it adds to the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from reports.domain.folding import Folding, News, Part, newer
from reports.domain.posting import Posting, replace

ON_TIME, LATE = "ON_TIME", "LATE"


@dataclass(frozen=True, slots=True)
class Activity:
    """`version` is of the newest state. `time` is when it was; of a task when it was done (0: not yet). `due_time` 0:
    none. `channel` is how somebody was reached. `begin` is when the day of `time` began.
    `open`: a task that is still to be done. `delay`: seconds from the time until it was entered."""

    version: int = 0
    deleted: bool = False
    owner: str = ""
    customer: str = ""
    channel: str = ""
    detail: str = ""
    time: int = 0
    begin: int = 0
    due_time: int = 0
    open: bool = False
    delay: int = 0


_FIELDS = tuple(part.name for part in fields(Activity))


def fold(activity: Activity, news: News) -> Activity:
    """What is known with this as well."""
    if news.what != "state":
        raise ValueError(news.what)
    return Activity(**news.values) if newer(news.values, activity) else activity


def _bare(activity: Activity) -> Posting:
    return Posting(
        "",
        activity.time,
        holder=activity.owner,
        owner=activity.owner,
        customer=activity.customer,
        channel=activity.channel,
        detail=activity.detail,
    )


def follow_up(activity: Activity) -> list[Posting]:
    return [replace(_bare(activity), fact="activity.followed_up", seconds=activity.delay)]


def check_in(activity: Activity) -> list[Posting]:
    return [replace(_bare(activity), fact="activity.checked_in")]


def task(activity: Activity) -> list[Posting]:
    """Done, in time or late, or due."""
    one = _bare(activity)
    if activity.open:
        return [replace(one, fact="task.due", happen_time=activity.due_time)] if activity.due_time else []
    if not activity.time:
        return []
    if not activity.due_time:
        return [replace(one, fact="task.done", detail="")]
    late = activity.time > activity.due_time
    return [replace(one, fact="task.done", detail=LATE if late else ON_TIME)]


def _covers(name: str, activity: Activity) -> Sequence[Part]:
    """Its customer was covered that day."""
    if activity.deleted or not activity.customer:
        return ()
    return [(activity.customer, ("covered", activity.begin))]


def _plain(activity: Activity) -> list[Any]:
    return [getattr(activity, name) for name in _FIELDS]


def _read(plain: list[Any]) -> Activity:
    return Activity(*plain)


def _folding(
    postings: Callable[[Activity], list[Posting]],
    parts: Callable[[str, Activity], Sequence[Part]] = lambda name, activity: (),
) -> Folding:
    def posted(activity: Activity) -> list[Posting]:
        return postings(activity) if activity.version and not activity.deleted else []

    return Folding(Activity(), fold, posted, _plain, _read, parts=parts, holder=lambda activity: activity.owner)


FOLDINGS: Mapping[str, Folding] = {
    "followUps": _folding(follow_up, _covers),
    "checkIns": _folding(check_in, _covers),
    "tasks": _folding(task),
}
