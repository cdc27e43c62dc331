"""ContractService."""

from __future__ import annotations

from dealwright.contracts.v1 import contracts_pb2 as pb


class ContractServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["ContractService"]
