"""Tasks that others ask for."""

from __future__ import annotations

from google.protobuf import json_format

from activities.usecases import automatic
from activities.wire import asked
from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.opportunities.v1.events_pb2 import CollaboratorAdded
from dealwright.rules.v1.events_pb2 import ActionRequested


@subscriber(CollaboratorAdded)
def collaborators(tx: Transaction, event: CollaboratorAdded) -> None:
    """Each part of a deal is a task of whoever does it (F14)."""
    automatic.requested(tx, asked.collaboration(event), [event.person] if event.person else [])


@subscriber(ActionRequested)
def actions(tx: Transaction, event: ActionRequested) -> None:
    """What the rules want done (CREATE_TASK); their other actions are for others."""
    if event.action == "CREATE_TASK":
        (cause,) = tx.causes
        automatic.requested(tx, asked.action(event, json_format.MessageToDict(event.parameters), cause, tx.now))
