"""The blueprint: the parts of all services joined to one document, applied all or none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.struct_pb2 import Struct
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import Invalid, Stale, Violation
from chassis.rpc import Call, outside
from chassis.service import Runtime
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.gateway.v1 import gateway_pb2
from gateway.peers.parts import OWNERS, Parts
from gateway.usecases.applying import Applying, Settling, Step
from gateway.wire import merging

Changes = list[blueprint_pb2.Change]
_VERSION = "version"


class GatewayServicer:
    descriptor = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"]

    def __init__(self, runtime: Runtime) -> None:
        self._parts = Parts(runtime)
        self._applying = Applying(runtime, self._parts)

    @outside
    def GetBlueprint(self, call: Call[gateway_pb2.GetBlueprintRequest]) -> gateway_pb2.Blueprint:
        return _joined(self._read(call))

    @outside
    def ApplyBlueprint(self, call: Call[gateway_pb2.ApplyBlueprintRequest]) -> gateway_pb2.ApplyBlueprintResponse:
        request = call.request
        parts = self._read(call)
        if request.etag and request.etag != _joined(parts).etag:
            raise Stale("blueprint")
        steps, changes = self._plan(parts, request.content, call)
        if request.validate_only:
            return gateway_pb2.ApplyBlueprintResponse(changes=changes, blueprint=_joined(parts))
        if steps:
            parts |= self._applying.run(steps, call)
        return gateway_pb2.ApplyBlueprintResponse(changes=changes, blueprint=_joined(parts))

    def _read(self, call: Call[Any]) -> dict[str, blueprint_pb2.Part]:
        return self._applying.undisturbed(lambda: {owner: self._parts.get(owner, call) for owner in OWNERS}, call)

    def _plan(
        self,
        parts: Mapping[str, blueprint_pb2.Part],
        content: Struct,
        call: Call[gateway_pb2.ApplyBlueprintRequest],
    ) -> tuple[list[Step], Changes]:
        """Every part is looked at before any is changed, and every wrong path of all of them is named."""
        owners = {key: owner for owner, part in parts.items() for key in part.content.fields}
        wrong = list(_wrong_version(content))
        wrong += [
            Violation(
                f"content.{key}",
                f"there is no such part; there are {', '.join(sorted(owners))}",
                f"没有该部分；可用：{'、'.join(sorted(owners))}",
            )
            for key in content.fields
            if key not in owners and key != _VERSION
        ]
        emptied = {key for key in owners if key in content.fields and content.fields[key].HasField("null_value")}
        wrong += [_kept(key) for key in sorted(emptied)]
        steps: list[Step] = []
        changes: Changes = []
        for owner, part in parts.items():
            given = [key for key in content.fields if owners.get(key) == owner and key not in emptied]
            if not given:
                continue  # what the document leaves out stays as it is
            mine = Struct(fields={key: content.fields[key] for key in given})
            after = Struct()
            after.CopyFrom(part.content)
            merging.merge(after, mine)
            try:
                planned = self._parts.plan(owner, after, call)
            except grpc.RpcError as error:
                violations = _violations(error)
                if not violations:
                    raise
                wrong.extend(violations)
                continue
            if planned.version != part.version:
                raise Stale("blueprint")
            wrong += [
                _kept(path)
                for path in merging.removed(part.content, mine)
                if not any(_within(path, change.path) or _within(change.path, path) for change in planned.changes)
            ]
            if planned.changes:
                steps.append(Step(owner, part.content, after, planned.version))
                changes.extend(planned.changes)
        if wrong:
            raise Invalid(wrong)
        return steps, changes


def settling(runtime: Runtime) -> Settling:
    """Settles what a gateway left half way, from `start` to `stop`. In `serve`: `work` cannot ask the services."""
    return Settling(Applying(runtime, Parts(runtime)))


def _joined(parts: Mapping[str, blueprint_pb2.Part]) -> gateway_pb2.Blueprint:
    content = Struct()
    for part in parts.values():
        for key, value in part.content.fields.items():
            content.fields[key].CopyFrom(value)
    versions = ",".join(f"{owner}={parts[owner].version}" for owner in sorted(parts))
    version = sum(part.version for part in parts.values())  # none of them ever falls
    content.fields[_VERSION].number_value = version
    etag = hashlib.sha256(versions.encode()).hexdigest()[:32]
    return gateway_pb2.Blueprint(content=content, etag=etag, version=version)


def _kept(path: str) -> Violation:
    return Violation(f"content.{path}", "cannot be taken away", "不能移除")


def _within(path: str, other: str) -> bool:
    return f"{path}.".startswith(f"{other}.")


def _wrong_version(content: Struct) -> list[Violation]:
    """A document may say which version it was read as. It is no guard, which `etag` is: a file that is kept elsewhere
    is applied again and again."""
    if _VERSION not in content.fields:
        return []
    given = content.fields[_VERSION]
    if given.HasField("number_value") and given.number_value.is_integer() and given.number_value >= 0:
        return []
    return [Violation(f"content.{_VERSION}", "must be a whole number", "必须是整数")]


def _violations(error: grpc.RpcError) -> list[Violation]:
    """The wrong paths that a part names, as paths of the joined document."""
    found: list[Violation] = []
    trailing: Any = error.trailing_metadata() or ()
    for key, value in trailing:
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            bad = error_details_pb2.BadRequest()
            if detail.Unpack(bad):
                found.extend(
                    Violation(
                        v.field if v.field.startswith("content") else f"content.{v.field}",
                        v.description,
                        v.localized_message.message or v.description,
                    )
                    for v in bad.field_violations
                )
    return found
