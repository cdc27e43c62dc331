"""How each RPC of approvals is asked for what he asked for himself, a team mate, and somebody of another team."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis import ids
from contracts.usecases import approvals, parties
from contracts.usecases.parties import Party
from dealwright.contracts.v1 import approvals_pb2 as pb
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import asks, listed

_A = "contracts.ApprovalService."


def _deal(h: House, who: str, row: str) -> str:
    """An opportunity of that person, as contracts was told of it."""
    name = f"opportunities/{ids.new_id()}"
    with h.runtimes["contracts"].transaction() as tx:
        parties.know(tx, [Party(name, 1, False, "年度采购", h.person(who, row))])
    return name


def _waiting(h: House, who: str, row: str) -> str:
    """An approval that this person asked for. Nobody is named: administrators are asked."""
    record = _deal(h, who, row)
    with h.runtimes["contracts"].transaction() as tx:
        asked = approvals.request(
            *(tx, "opportunity", record),
            opportunity="",
            customer="",
            amount=None,
            facts={},
            asker=h.person(who, row),
        )
    return asked.name


_last: dict[tuple[str, str], str] = {}


@asks(_A + "CreateApproval", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.CreateApprovalRequest(approval=pb.Approval(record=_deal(h, who, row)))


asks(_A + "GetApproval", PEOPLE)(lambda h, who, row: pb.GetApprovalRequest(name=_waiting(h, who, row)))


def _listing(h: House, who: str, row: str) -> Message:
    _last[who, row] = _waiting(h, who, row)
    return pb.ListApprovalsRequest(filter=f'owner = "{h.person(who, row)}"', page_size=1000)


asks(_A + "ListApprovals", PEOPLE, listed("approvals", lambda h, who, row: _last[who, row]))(_listing)
asks(_A + "DecideApproval", PEOPLE)(
    lambda h, who, row: pb.DecideApprovalRequest(name=_waiting(h, who, row), verdict=pb.Approval.APPROVE)
)


@asks(_A + "DelegateApproval", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    # To somebody who asks for none of these rows.
    to = h.people["mate" if row == "other" else "other"]
    return pb.DelegateApprovalRequest(name=_waiting(h, who, row), to=to)


asks(_A + "WithdrawApproval", PEOPLE)(lambda h, who, row: pb.WithdrawApprovalRequest(name=_waiting(h, who, row)))
asks(_A + "RemindApproval", PEOPLE)(lambda h, who, row: pb.RemindApprovalRequest(name=_waiting(h, who, row)))
asks(_A + "SimulateApprovalFlow")(lambda h, who, row: pb.SimulateApprovalFlowRequest(flow_id="quote"))
