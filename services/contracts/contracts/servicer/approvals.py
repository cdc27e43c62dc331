"""ApprovalService."""

from __future__ import annotations

from dealwright.contracts.v1 import approvals_pb2 as pb


class ApprovalServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["ApprovalService"]
