"""What opportunities, and those who follow up on them, tell."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.transaction import Cause
from dealwright.activities.v1.events_pb2 import FollowUpChanged, FollowUpLogged
from dealwright.opportunities.v1 import events_pb2, opportunities_pb2
from reports.domain.folding import News
from reports.domain.known import Label
from reports.wire.news import abroad, blank, day_of, micros, news, units

EVENTS: tuple[type[Message], ...] = (
    events_pb2.OpportunityChanged,
    events_pb2.OpportunityOpened,
    events_pb2.StageChanged,
    FollowUpLogged,
    FollowUpChanged,
)


def told(event: Message, cause: Cause) -> list[News]:
    """News of opportunities."""
    if isinstance(event, events_pb2.OpportunityChanged):
        return [_state(event.opportunity, event.version, event.deleted, cause)]
    if isinstance(event, events_pb2.OpportunityOpened):
        opened = {"version": 0, "time": micros(cause.envelope.time), "from_stage": "", "to_stage": event.stage}
        opened |= {"from_place": 0, "to_place": event.place, "from_status": 0, "to_status": 1, "forced": False}
        return [news(cause, event.opportunity, "moved", opened)]
    if isinstance(event, events_pb2.StageChanged):
        moved = {
            "version": event.version,
            "time": micros(event.change_time),
            "from_stage": event.from_stage,
            "to_stage": event.to_stage,
            "from_place": event.from_place,
            "to_place": event.to_place,
            "from_status": event.from_status,
            "to_status": event.to_status,
            "forced": event.forced,
            "owner": event.state.owner,
        }
        return [
            news(cause, event.opportunity, "moved", moved),
            _state(event.state, event.version, False, cause),
        ]
    if isinstance(event, (FollowUpLogged, FollowUpChanged)):
        follow_up = event.follow_up
        gone = isinstance(event, FollowUpChanged) and event.deleted
        # That it was logged is its first version.
        version = event.version if isinstance(event, FollowUpChanged) else 1
        touched = {
            "follow_up": follow_up.name,
            "version": version,
            "time": 0 if gone else micros(follow_up.happen_time),
        }
        return [news(cause, follow_up.opportunity, "touched", touched)] if follow_up.opportunity else []
    raise TypeError(type(event).__name__)


def labels(event: Message, cause: Cause) -> list[Label]:
    """What the stages that it tells of are called and where they stand, by "pipelines/x#stage": the latest that was
    told."""
    if isinstance(event, events_pb2.OpportunityOpened):
        stage, called, place = event.stage, event.stage_display_name, event.place
    elif isinstance(event, events_pb2.StageChanged):
        stage, called, place = event.to_stage, event.to_stage_display_name, event.to_place
    else:
        return []
    return [Label(f"{event.pipeline}#{stage}", called, micros(cause.envelope.receive_time), place)]


def _state(of: opportunities_pb2.Opportunity, version: int, deleted: bool, cause: Cause) -> News:
    bought = of.status == opportunities_pb2.Opportunity.WON
    values = {
        "version": version,
        "deleted": deleted or of.HasField("delete_time"),
        "owner": of.owner,
        "customer": of.customer,
        "lead": of.lead,
        "channel": of.source,
        "industry": of.industry,
        "products": tuple(dict.fromkeys(of.products)),
        "pipeline": of.pipeline,
        "stage": of.stage,
        "status": of.status,
        "amount": units(of.amount),
        "currency": of.amount.currency_code,
        "create_time": micros(of.open_time) or micros(of.create_time),
        "close_time": micros(of.close_time),
        "reason": of.status_reason,
        "abroad": abroad(of.amount.currency_code, day_of(of.close_time)) if bought else "",
        "blank": blank(
            CUSTOMER=of.customer,
            AMOUNT=units(of.amount),
            CLOSE_DATE=of.expected_close_date,
            SOURCE=of.source or of.lead,  # it came by what its lead did
        ),
    }
    return news(cause, of.name, "state", values)
