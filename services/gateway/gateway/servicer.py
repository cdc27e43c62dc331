"""The blueprint: the parts of all services joined to one document, applied all or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf.struct_pb2 import Struct
from google.rpc import error_details_pb2, status_pb2

from chassis import ids
from chassis.errors import Invalid, Refused, Stale, Violation
from chassis.rpc import Call, outside
from chassis.service import Runtime
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.gateway.v1 import gateway_pb2
from gateway.peers import OWNERS, Parts

log = structlog.get_logger(__name__)
Changes = list[blueprint_pb2.Change]


@dataclass(frozen=True)
class _Step:
    """One part that is to change: what it is now, what it becomes, the version that was planned against."""

    owner: str
    before: Struct
    after: Struct
    version: int


class GatewayServicer:
    descriptor = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"]

    def __init__(self, runtime: Runtime) -> None:
        self._parts = Parts(runtime)

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
        for owner, part in self._apply(steps, call).items():
            parts[owner] = part
        return gateway_pb2.ApplyBlueprintResponse(changes=changes, blueprint=_joined(parts))

    def _read(self, call: Call[Any]) -> dict[str, blueprint_pb2.Part]:
        return {owner: self._parts.get(owner, call) for owner in OWNERS}

    def _plan(
        self,
        parts: Mapping[str, blueprint_pb2.Part],
        content: Struct,
        call: Call[gateway_pb2.ApplyBlueprintRequest],
    ) -> tuple[list[_Step], Changes]:
        """Every part is looked at before any is changed, and every wrong path of all of them is named."""
        owners = {key: owner for owner, part in parts.items() for key in part.content.fields}
        wrong = [
            Violation(
                f"content.{key}",
                f"there is no such part; there are {', '.join(sorted(owners))}",
                f"没有该部分；可用：{'、'.join(sorted(owners))}",
            )
            for key in content.fields
            if key not in owners
        ]
        steps: list[_Step] = []
        changes: Changes = []
        for owner, part in parts.items():
            given = [key for key in content.fields if owners.get(key) == owner]
            if not given:
                continue  # what the document leaves out stays as it is
            after = Struct()
            after.CopyFrom(part.content)
            for key in given:
                after.fields[key].CopyFrom(content.fields[key])
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
            if planned.changes:
                steps.append(_Step(owner, part.content, after, planned.version))
                changes.extend(planned.changes)
        if wrong:
            raise Invalid(wrong)
        return steps, changes

    def _apply(
        self, steps: list[_Step], call: Call[gateway_pb2.ApplyBlueprintRequest]
    ) -> dict[str, blueprint_pb2.Part]:
        """Applies each part; when one fails, those before it are put back and the failure is told.

        The parts get request ids of this attempt alone: the caller's own would be answered from memory when he tries
        again after a failure that was put back.
        """
        attempt = ids.new_id()
        done: dict[str, blueprint_pb2.Part] = {}
        for step in steps:
            try:
                done[step.owner] = self._parts.apply(
                    step.owner, step.after, step.version, f"{attempt}-{step.owner}", call
                )
            except grpc.RpcError as error:
                kept = self._put_back([s for s in steps if s.owner in done], done, attempt, call)
                # A part that did not answer in time may have been applied all the same.
                if _maybe_done(error) and not self._unchanged(step, attempt, call):
                    kept.append(step.owner)
                if kept:
                    raise half_applied(kept) from error
                raise
        return done

    def _put_back(
        self,
        steps: list[_Step],
        done: Mapping[str, blueprint_pb2.Part],
        attempt: str,
        call: Call[gateway_pb2.ApplyBlueprintRequest],
    ) -> list[str]:
        """The owners whose part could not be put back."""
        kept = []
        for step in reversed(steps):
            if not self._restored(step, done[step.owner].version, attempt, call):
                kept.append(step.owner)
        return kept

    def _restored(self, step: _Step, version: int, attempt: str, call: Call[gateway_pb2.ApplyBlueprintRequest]) -> bool:
        apply: Callable[[], object] = lambda: self._parts.apply(  # noqa: E731
            step.owner, step.before, version, f"{attempt}-{step.owner}-back", call
        )
        for _ in range(3):
            try:
                apply()
                return True
            except grpc.RpcError as error:
                log.error("a blueprint part was not put back", owner=step.owner, code=error.code().name)
                if not _maybe_done(error):
                    return False
        return False

    def _unchanged(self, step: _Step, attempt: str, call: Call[gateway_pb2.ApplyBlueprintRequest]) -> bool:
        """Whether the part is as it was, after putting it back if it was applied without our hearing of it."""
        try:
            part = self._parts.get(step.owner, call)
        except grpc.RpcError:
            return False
        return part.version == step.version or self._restored(step, part.version, attempt, call)


def half_applied(owners: list[str]) -> Refused:
    names = ", ".join(owners)
    return Refused(
        "BLUEPRINT_HALF_APPLIED",
        f"The blueprint failed, and these parts could not be put back: {names}. Read it again before you go on.",
        f"蓝图应用失败，且以下部分未能恢复：{names}。请先重新读取再继续。",
        code="INTERNAL",
    )


def _joined(parts: Mapping[str, blueprint_pb2.Part]) -> gateway_pb2.Blueprint:
    content = Struct()
    for part in parts.values():
        for key, value in part.content.fields.items():
            content.fields[key].CopyFrom(value)
    versions = ",".join(f"{owner}={parts[owner].version}" for owner in sorted(parts))
    return gateway_pb2.Blueprint(content=content, etag=hashlib.sha256(versions.encode()).hexdigest()[:32])


def _maybe_done(error: grpc.RpcError) -> bool:
    """Whether the call may have been carried out all the same."""
    return error.code().name in ("DEADLINE_EXCEEDED", "UNAVAILABLE", "CANCELLED", "UNKNOWN", "INTERNAL")


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
