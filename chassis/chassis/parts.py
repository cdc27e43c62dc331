"""A service's part of the blueprint: what a company sets, as documents by key, with one version for them all.

A service says for each of its keys how a document is checked (`Part`), and serves the part (`PartServicer`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis import fields
from chassis.database import Json, insert_rows
from chassis.errors import Invalid, Stale
from chassis.fields import FieldCheck
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.blueprint.v1 import blueprint_pb2

_LONGEST_REQUEST_ID = 128

Check = Callable[[Any, FieldCheck, str], Any]
"""(document as given, or None for the default one; where problems go; path) -> the document in its normal form."""


def table(metadata: sa.MetaData) -> sa.Table:
    """The documents: one row."""
    return sa.Table(
        "settings",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("content", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


@dataclass(frozen=True)
class Part:
    """`checks`: by key. `resources`: the right that changing a key needs beyond the blueprint's. `used` may refuse what
    others still need: (tx, before, after, check), documents by key."""

    service: str
    table: sa.Table
    checks: Mapping[str, Check]
    resources: Mapping[str, str]
    used: Callable[[Transaction, Mapping[str, Any], Mapping[str, Any], FieldCheck], None] | None = None

    def read(self, tx: Transaction, lock: bool = False) -> tuple[dict[str, Any], int]:
        """Every document, the default ones too, and the version."""
        at = self.table.c
        wanted = sa.select(at.content, at.version).where(at.id == self.service)
        if lock and tx.dialect == "postgresql":
            wanted = wanted.with_for_update()
        row = tx.execute(wanted).first()
        stored: Mapping[str, Any] = row.content if row else {}
        return self._checked(stored, FieldCheck()), row.version if row else 0

    def plan(self, tx: Transaction, content: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], int]:
        """What applying would change, as (path, before, after) in JSON, and the present version. Raises Invalid."""
        before, version = self.read(tx)
        return sorted(differences("", before, self._proposed(tx, before, content))), version

    def apply(self, tx: Transaction, content: Mapping[str, Any], expected_version: int) -> tuple[dict[str, Any], int]:
        """Writes the documents that are given; others stay. Raises Stale, Invalid, Denied."""
        before, version = self.read(tx, lock=True)
        if version != expected_version:
            raise Stale("blueprint")
        after = self._proposed(tx, before, content)
        changed = [key for key in after if after[key] != before[key]]
        for key in changed:
            tx.principal.require(self.resources[key], "write")
        if changed:
            written = insert_rows(
                tx.connection,
                self.table,
                ("id", "content", "version"),
                [(self.service, after, version + 1)],
                conflict="(id) DO UPDATE SET content = excluded.content, version = excluded.version "
                "WHERE settings.version = excluded.version - 1",
                returning=("version",),
            )
            if not written:
                raise Stale("blueprint")
            tx.audit("settings.changed", f"blueprint/{self.service}", {"keys": changed})
        return self.read(tx)

    def _proposed(self, tx: Transaction, before: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
        check = FieldCheck()
        for key in sorted(content.keys() - self.checks.keys()):
            check.refuse(key, "there is no such part", "没有这个部分")
        after = self._checked({**before, **content}, check)
        if self.used is not None and not check.violations:
            self.used(tx, before, after, check)
        if check.violations:
            raise Invalid(check.violations)
        return after

    def _checked(self, content: Mapping[str, Any], check: FieldCheck) -> dict[str, Any]:
        return {key: read(content.get(key), check, key) for key, read in self.checks.items()}


class Offered(Protocol):
    """What a service keeps of the blueprint, in whatever way: as `Part` has it."""

    def read(self, tx: Transaction) -> tuple[dict[str, Any], int]: ...

    def plan(self, tx: Transaction, content: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], int]: ...

    def apply(
        self, tx: Transaction, content: Mapping[str, Any], expected_version: int
    ) -> tuple[dict[str, Any], int]: ...


class PartServicer:
    """Serves one part."""

    descriptor = blueprint_pb2.DESCRIPTOR.services_by_name["BlueprintService"]

    def __init__(self, part: Offered) -> None:
        self._part = part

    @query
    def GetPart(self, tx: Transaction, request: blueprint_pb2.GetPartRequest) -> blueprint_pb2.Part:
        return _message(*self._part.read(tx))

    @query
    def PlanPart(self, tx: Transaction, request: blueprint_pb2.PlanPartRequest) -> blueprint_pb2.PlanPartResponse:
        changes, version = self._part.plan(tx, _plain(request.content))
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
        return _message(*self._part.apply(tx, _plain(request.content), request.expected_version))


def differences(path: str, before: Any, after: Any) -> list[tuple[str, str, str]]:
    """Where two documents differ, as (path, before, after) in JSON; empty for what is not there."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            change
            for key in before.keys() | after.keys()
            for change in differences(f"{path}.{key}" if path else key, before.get(key), after.get(key))
        ]
    return [(path, _json(before), _json(after))]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _plain(content: Struct) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json_format.MessageToDict(content)
    except (ValueError, RecursionError) as problem:
        raise Invalid([("content", "is not plain data", "不是有效的数据")]) from problem
    return plain


def _message(content: Mapping[str, Any], version: int) -> blueprint_pb2.Part:
    part = blueprint_pb2.Part(version=version)
    part.content.update(content)
    return part
