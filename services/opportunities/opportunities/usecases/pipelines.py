"""The company's pipelines as they stand."""

from __future__ import annotations

import re
from typing import Any

from chassis.errors import Invalid, NotFound
from chassis.fields import FieldCheck
from chassis.transaction import Transaction
from opportunities.domain import pipeline_form
from opportunities.domain.pipeline import Pipeline
from opportunities.storage import pipelines

_NAME = re.compile(r"pipelines/[a-z][a-z0-9-]{0,62}")


def current(tx: Transaction, lock: bool = False) -> tuple[tuple[Pipeline, ...], int]:
    """All pipelines, the default one first, and their version. The shipped ones until others were written."""
    content, version = pipelines.load(tx, lock)
    if content is None:
        return pipeline_form.shipped(), 0
    return _read(content), version


_latest: tuple[Any, tuple[Pipeline, ...]] = ({}, ())


def _read(content: Any) -> tuple[Pipeline, ...]:
    """What was written is read again only when it is another: every call asks for it."""
    global _latest
    written, found = _latest
    if written != content:
        found = pipeline_form.from_plain(content, FieldCheck())
        _latest = (content, found)
    return found


def get(tx: Transaction, name: str) -> Pipeline:
    """Raises NotFound."""
    found = next((one for one in current(tx)[0] if one.name == name), None)
    if found is None:
        raise NotFound(name if _NAME.fullmatch(name) else "pipelines/...")
    return found


def chosen(tx: Transaction, name: str) -> Pipeline:
    """The pipeline of this name, the default one for none. Raises Invalid."""
    every, _ = current(tx)
    found = next((one for one in every if one.name == name), None) if name else every[0]
    if found is None:
        raise Invalid([("opportunity.pipeline", "there is no such pipeline", "没有这个销售流程")])
    return found
