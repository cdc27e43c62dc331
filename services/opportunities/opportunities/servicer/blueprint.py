"""Our part of the blueprint."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.blueprint.v1 import blueprint_pb2
from opportunities.usecases import blueprint
from opportunities.wire import messages

_LONGEST_REQUEST_ID = 128


class BlueprintServicer:
    """Our part of the blueprint."""

    descriptor = blueprint_pb2.DESCRIPTOR.services_by_name["BlueprintService"]

    @query
    def GetPart(self, tx: Transaction, request: blueprint_pb2.GetPartRequest) -> blueprint_pb2.Part:
        return _part(*blueprint.read(tx))

    @query
    def PlanPart(self, tx: Transaction, request: blueprint_pb2.PlanPartRequest) -> blueprint_pb2.PlanPartResponse:
        changes, version = blueprint.plan(tx, _content(request.content))
        return blueprint_pb2.PlanPartResponse(
            changes=[blueprint_pb2.Change(path=p, before=b, after=a) for p, b, a in changes], version=version
        )

    @command
    def ApplyPart(self, tx: Transaction, request: blueprint_pb2.ApplyPartRequest) -> blueprint_pb2.Part:
        check = FieldCheck()
        if request.request_id:
            check.take("request_id", fields.text, request.request_id, _LONGEST_REQUEST_ID)
        if check.violations:
            raise Invalid(check.violations)
        return _part(*blueprint.apply(tx, _content(request.content), request.expected_version))


def _content(content: Struct) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json_format.MessageToDict(content)
    except (ValueError, RecursionError) as problem:
        raise Invalid([("content", "is not plain data", "不是有效的数据")]) from problem
    return plain


def _part(content: dict[str, Any], version: int) -> blueprint_pb2.Part:
    return blueprint_pb2.Part(content=messages.struct(content), version=version)
