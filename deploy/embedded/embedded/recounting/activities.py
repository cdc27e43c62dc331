"""Follow-ups, check-ins and tasks, by what `activities` keeps of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dealwright.activities.v1.activities_pb2 import FollowUp, Task
from embedded.owners import Owners
from embedded.recounting.counted import Counted, called, lasted, lent, moment
from embedded.recounting.known import Known


def count(owners: Owners, known: Known) -> Iterator[Counted]:
    for said in owners.all("activities", "ListFollowUps"):
        happened = moment(said.happen_time)
        for record in filter(None, (said.opportunity, said.lead)):
            known.touches[record].append(happened)
        when = known.here(happened)
        if said.customer:
            known.covered[said.customer].add(when.date())
        of = {"owner": said.owner, "customer": said.customer, "channel": called(FollowUp.Method, said.method)}
        of["detail"] = called(FollowUp.Outcome, said.outcome)
        yield from _of_customer(
            Counted("activity.followed_up", when, of, seconds=lasted(happened, moment(said.create_time))), known
        )
    for there in owners.all("activities", "ListCheckIns"):
        when = known.here(moment(there.happen_time))
        if there.customer:
            known.covered[there.customer].add(when.date())
        of = {"owner": there.owner, "customer": there.customer}
        yield from _of_customer(Counted("activity.checked_in", when, of), known)
    for task in owners.all("activities", "ListTasks"):
        if not task.origin.startswith("leads/"):  # of those that come with leads, the leads' clocks tell
            for one in _of_task(task, known):
                yield from _of_customer(one, known)


def _of_customer(one: Counted, known: Known) -> Iterator[Counted]:
    """Whoever may not read a customer does not know which it was."""
    his = known.customer(one.of["customer"]).owner == one.of["owner"]
    yield from lent([one], [one if his else replace(one, of={**one.of, "customer": ""})])


def _of_task(task: Task, known: Known) -> Iterator[Counted]:
    of = {"owner": task.owner, "customer": task.customer}
    due = known.here(moment(task.due_time)) if task.HasField("due_time") else None
    if task.status == Task.DONE:
        done = known.here(moment(task.done_time))
        in_time = "" if due is None else "LATE" if done > due else "ON_TIME"
        yield Counted("task.done", done, {**of, "detail": in_time})
    elif task.status in (Task.OPEN, Task.IN_PROGRESS) and due is not None:
        yield Counted("task.due", due, {**of, "detail": called(Task.Kind, task.kind)})
