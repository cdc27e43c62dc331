"""QuoteService."""

from __future__ import annotations

from dealwright.contracts.v1 import quotes_pb2 as pb


class QuoteServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["QuoteService"]
