"""Tasks that others ask for."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf import json_format

from activities.usecases import automatic
from activities.wire import asked
from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.opportunities.v1.events_pb2 import CollaboratorAdded
from dealwright.reports.v1.events_pb2 import TaskRequested
from dealwright.rules.v1.events_pb2 import ActionRequested


@subscriber(CollaboratorAdded)
def collaborators(tx: Transaction, event: CollaboratorAdded) -> None:
    """Each part of a deal is a task of whoever does it (F14)."""
    automatic.requested(tx, asked.collaboration(event), [event.person] if event.person else [])


@subscriber(ActionRequested)
def actions(tx: Transaction, event: ActionRequested) -> None:
    """What the rules want done (CREATE_TASK), or not any more (CANCEL_TASK); other actions are for others."""
    if event.action in ("CREATE_TASK", "CANCEL_TASK"):
        (cause,) = tx.causes
        said = json_format.MessageToDict(event.parameters)
        wanted = asked.action(event, said, cause, tx.now)
        if event.action == "CREATE_TASK":
            automatic.requested(tx, wanted)
        else:
            automatic.taken_back(tx, wanted, asked.reason(said))


@subscriber(TaskRequested, batch=256)
def reported(tx: Transaction, events: Sequence[TaskRequested]) -> None:
    """What a report counted is to be done (B44); once, however often it is asked for."""
    automatic.add(tx, [asked.reported(event) for event in events])
