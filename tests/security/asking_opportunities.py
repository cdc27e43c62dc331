"""How each RPC of opportunities is asked for what is his own, a team mate's, and another team's."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from dealwright.api.v1.bringing_pb2 import TakenBack
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities.storage.tables import opportunities
from tests.security.asking_customers import of_results
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import Told, asks

_O = "opportunities.OpportunityService."


def _request(h: House, who: str, row: str, pipeline: str = "") -> pb.CreateOpportunityRequest:
    opportunity = pb.Opportunity(title="年度采购", owner=h.person(who, row), pipeline=pipeline)
    return pb.CreateOpportunityRequest(opportunity=opportunity)


def _fresh(h: House, who: str, row: str, pipeline: str = "") -> Any:
    return h.do(_O + "CreateOpportunity", _request(h, who, row, pipeline))


def _name(h: House, who: str, row: str) -> str:
    return str(_fresh(h, who, row).name)


def _ready(h: House, who: str, row: str) -> str:
    """One that only has to be won."""
    name = str(_fresh(h, who, row, "pipelines/four-stage").name)
    for stage in ("intent", "quote"):
        changed = pb.Opportunity(name=name, stage=stage)
        h.do(_O + "UpdateOpportunity", pb.UpdateOpportunityRequest(opportunity=changed))
    return name


def _any(field: str) -> Told:
    return lambda h, who, row, answer: "S" if getattr(answer, field) else "U"


asks(_O + "CreateOpportunity", PEOPLE)(_request)
asks(_O + "BatchCreateOpportunities", PEOPLE, of_results)(
    lambda h, who, row: pb.BatchCreateOpportunitiesRequest(requests=[_request(h, who, row)])
)
asks(_O + "TakeBackOpportunities", PEOPLE)(
    lambda h, who, row: pb.TakeBackOpportunitiesRequest(records=[TakenBack(name=_name(h, who, row), left="v1")])
)
asks(_O + "GetOpportunity", PEOPLE)(lambda h, who, row: pb.GetOpportunityRequest(name=_name(h, who, row)))
asks(_O + "ListOpportunities", PEOPLE, _any("opportunities"))(
    lambda h, who, row: pb.ListOpportunitiesRequest(filter=f"number = {_fresh(h, who, row).number}")
)
asks(_O + "SummarizeOpportunities", PEOPLE, _any("rows"))(
    lambda h, who, row: pb.SummarizeOpportunitiesRequest(filter=f"number = {_fresh(h, who, row).number}")
)


@asks(_O + "UpdateOpportunity", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    changed = pb.Opportunity(name=_name(h, who, row), title="新名", stage="need-clear")
    mask = FieldMask(paths=["title", "stage"])
    return pb.UpdateOpportunityRequest(opportunity=changed, update_mask=mask)


asks(_O + "DeleteOpportunity", PEOPLE)(lambda h, who, row: pb.DeleteOpportunityRequest(name=_name(h, who, row)))


@asks(_O + "UndeleteOpportunity", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _name(h, who, row)
    h.do(_O + "DeleteOpportunity", pb.DeleteOpportunityRequest(name=name))
    return pb.UndeleteOpportunityRequest(name=name)


asks(_O + "WinOpportunity", PEOPLE)(lambda h, who, row: pb.WinOpportunityRequest(name=_ready(h, who, row)))
asks(_O + "LoseOpportunity", PEOPLE)(
    lambda h, who, row: pb.LoseOpportunityRequest(name=_name(h, who, row), reason="价格")
)
asks(_O + "HoldOpportunity", PEOPLE)(lambda h, who, row: pb.HoldOpportunityRequest(name=_name(h, who, row)))


@asks(_O + "ResumeOpportunity", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _name(h, who, row)
    h.do(_O + "HoldOpportunity", pb.HoldOpportunityRequest(name=name))
    return pb.ResumeOpportunityRequest(name=name)


@asks(_O + "ReopenOpportunity", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _name(h, who, row)
    h.do(_O + "LoseOpportunity", pb.LoseOpportunityRequest(name=name, reason="价格"))
    return pb.ReopenOpportunityRequest(name=name, reason="客户回来")


@asks(_O + "TransferOpportunity", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    taker = h.person(who, "own" if row == "mate" else "mate")
    return pb.TransferOpportunityRequest(name=_name(h, who, row), owner=taker)


@asks(_O + "ConfirmOpportunity", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _name(h, who, row)
    awaiting = sa.update(opportunities).where(opportunities.c.name == name)
    with h.runtimes["opportunities"].transaction() as tx:
        tx.execute(awaiting.values(status=int(pb.Opportunity.AWAITING_CONFIRMATION)))
    return pb.ConfirmOpportunityRequest(name=name)


@asks(_O + "RequestCollaboration", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    # Somebody who asks for none of these rows.
    taker = h.people["mate" if row == "other" else "other"]
    return pb.RequestCollaborationRequest(name=_name(h, who, row), person=taker, part="报价")


asks(_O + "ListGates", PEOPLE)(lambda h, who, row: pb.ListGatesRequest(parent=_name(h, who, row)))
asks(_O + "ListChain", PEOPLE)(lambda h, who, row: pb.ListChainRequest(parent=_name(h, who, row)))


@asks(_O + "ShareOpportunity", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    # With somebody who asks for none of these rows.
    taker = h.people["mate" if row == "other" else "other"]
    return pb.ShareOpportunityRequest(name=_name(h, who, row), person=taker)


@asks(_O + "UnshareOpportunity", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name, taker = _name(h, who, row), h.people["mate" if row == "other" else "other"]
    h.do(_O + "ShareOpportunity", pb.ShareOpportunityRequest(name=name, person=taker))
    return pb.UnshareOpportunityRequest(name=name, person=taker)


asks(_O + "ListShares", PEOPLE)(lambda h, who, row: pb.ListSharesRequest(parent=_name(h, who, row)))
asks(_O + "ListStageChanges", PEOPLE)(lambda h, who, row: pb.ListStageChangesRequest(parent=_name(h, who, row)))
asks(_O + "GetPipeline")(lambda h, who, row: pb.GetPipelineRequest(name="pipelines/six-stage"))
asks(_O + "ListPipelines")(lambda h, who, row: pb.ListPipelinesRequest())
