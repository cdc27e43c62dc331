"""This service's part of the blueprint: {"pipelines": {id: pipeline}} (O15)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chassis.errors import Invalid, Stale
from chassis.fields import FieldCheck
from chassis.transaction import Transaction
from opportunities.domain import pipeline_form
from opportunities.domain.pipeline import Pipeline
from opportunities.storage import pipelines as stored
from opportunities.usecases import pipelines

KEY = "pipelines"


def read(tx: Transaction) -> tuple[dict[str, Any], int]:
    """The part as it stands, and its version."""
    every, version = pipelines.current(tx)
    return {KEY: pipeline_form.to_plain(every)}, version


def plan(tx: Transaction, content: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], int]:
    """What applying would change, as (path, before, after) in JSON, and the present version. Raises Invalid."""
    before, version = read(tx)
    after = {KEY: pipeline_form.to_plain(_proposed(tx, content))}
    return sorted(_differences("", before, after)), version


def apply(tx: Transaction, content: Mapping[str, Any], expected_version: int) -> tuple[dict[str, Any], int]:
    """Writes the part: all pipelines; what it leaves out goes. Raises Stale, Invalid."""
    before, version = pipelines.current(tx, lock=True)
    if version != expected_version:
        raise Stale("blueprint")
    after = _proposed(tx, content)
    if after != before:
        tx.principal.require(KEY, "write")
        if not stored.save(tx, pipeline_form.to_plain(after), version):
            raise Stale("blueprint")
        tx.audit("pipelines.changed", "blueprint/pipelines", {"pipelines": [one.id for one in after]})
    return read(tx)


def _proposed(tx: Transaction, content: Mapping[str, Any]) -> tuple[Pipeline, ...]:
    """The pipelines as they would be. Raises Invalid naming each wrong path."""
    check = FieldCheck()
    for key in sorted(content.keys() - {KEY}):
        check.refuse(key, "there is no such part", "没有这个部分")
    after = pipelines.current(tx)[0]
    if KEY in content:
        after = pipeline_form.from_plain(content[KEY], check)
        there = {(way.name, stage.id) for way in after for stage in way.stages}
        for (way, stage), count in sorted(stored.in_use(tx).items()):
            if not check.violations and (way, stage) not in there:
                where = f"{KEY}.{way.removeprefix('pipelines/')}.stages"
                check.refuse(
                    where, f"{count} opportunities are in the stage {stage}", f"有 {count} 个商机处于阶段 {stage}"
                )
    if check.violations:
        raise Invalid(check.violations)
    return after


def _differences(path: str, before: Any, after: Any) -> list[tuple[str, str, str]]:
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            change
            for key in before.keys() | after.keys()
            for change in _differences(f"{path}.{key}" if path else key, before.get(key), after.get(key))
        ]
    return [(path, _json(before), _json(after))]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
