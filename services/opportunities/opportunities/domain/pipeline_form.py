"""Pipelines as a company writes them: the key "pipelines" of the blueprint (O15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from chassis import fields
from chassis.fields import FieldCheck
from chassis.money import LARGEST, Money
from opportunities.domain import conditions
from opportunities.domain.opportunity import SHOWN, Status
from opportunities.domain.pipeline import CheckItem, Gate, GateKind, Pipeline, Stage
from opportunities.domain.templates import TEMPLATES

MOST_PIPELINES, MOST_STAGES, MOST_GATES, MOST_ITEMS = 50, 30, 20, 50
_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_PIPELINE = frozenset({"displayName", "default", "stages", "confirmBy", "openQualified"})
_STAGE = frozenset({"id", "displayName", "kind", "probability", "checklist", "gates"})
_EVERY = frozenset({"kind", "fromStage", "message", "messageZh", "task"})
_GATE = {
    GateKind.FILLED: _EVERY | {"field"},
    GateKind.CHECKLIST: frozenset({"kind", "fromStage"}),
    GateKind.AMOUNT: _EVERY | {"minimum", "currency"},
    GateKind.CONDITION: _EVERY | {"expression"},
    GateKind.ATTACHMENT: _EVERY | {"attachment", "count"},
    GateKind.FOLLOW_UPS: _EVERY | {"count"},
    GateKind.APPROVAL: _EVERY | {"flow", "attachment"},
    GateKind.QUOTE: _EVERY,
}
_ATTACHMENT = re.compile(r"[a-z0-9-]{1,64}")
_MOST_COUNTED = 100


def from_plain(given: Any, check: FieldCheck, path: str = "pipelines") -> tuple[Pipeline, ...]:
    """The pipelines of {id: pipeline}, the default one first; what is wrong goes to `check`."""
    if not isinstance(given, Mapping) or not 1 <= len(given) <= MOST_PIPELINES:
        check.refuse(
            path,
            f"must be an object of 1 to {MOST_PIPELINES} pipelines",
            f"须为 1 至 {MOST_PIPELINES} 个流程",
        )
        return ()
    made = [_pipeline(id, plain, check, f"{path}.{str(id)[:64]}") for id, plain in given.items()]
    if sum(pipeline.is_default for pipeline in made) != 1:
        check.refuse(path, "exactly one must have default: true", "必须有且只有一个流程的 default 为 true")
    if sum(pipeline.open_qualified for pipeline in made) > 1:
        check.refuse(path, "at most one can have openQualified: true", "最多一个流程的 openQualified 为 true")
    return tuple(sorted(made, key=lambda pipeline: (not pipeline.is_default, pipeline.id)))


@lru_cache(maxsize=1)
def shipped() -> tuple[Pipeline, ...]:
    """The templates that every system begins with."""
    check = FieldCheck()
    made = from_plain(TEMPLATES, check)
    assert not check.violations, check.violations
    return made


def _text(plain: Mapping[str, Any], key: str, longest: int, check: FieldCheck, path: str, required: bool = True) -> str:
    return check.take(f"{path}.{key}", fields.text, plain.get(key, ""), longest, required=required) or ""


def _known(plain: Mapping[str, Any], keys: frozenset[str], check: FieldCheck, path: str) -> None:
    for key in sorted(map(str, plain.keys() - keys)):
        check.refuse(f"{path}.{key[:64]}", "there is no such setting", "没有这个设置项")


def _id(value: Any, check: FieldCheck, path: str) -> str:
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    check.refuse(
        path, "must be small letters, digits and dashes, a letter first", "须为字母开头的小写字母、数字、短横线"
    )
    return ""


def _list(value: Any, most: int, check: FieldCheck, path: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The objects of a list with their paths."""
    if not isinstance(value, list | tuple) or len(value) > most:
        check.refuse(path, f"must be a list of at most {most}", f"须为最多 {most} 项的列表")
        return []
    found = []
    for number, one in enumerate(value):
        if isinstance(one, Mapping):
            found.append((f"{path}[{number}]", one))
        else:
            check.refuse(f"{path}[{number}]", "must be an object", "须为对象")
    return found


def _pipeline(id: Any, plain: Any, check: FieldCheck, path: str) -> Pipeline:
    name = _id(id, check, path)
    if not isinstance(plain, Mapping):
        check.refuse(path, "must be an object", "须为对象")
        return Pipeline(name, "", False, ())
    _known(plain, _PIPELINE, check, path)
    stages = tuple(
        _stage(one, check, at) for at, one in _list(plain.get("stages"), MOST_STAGES, check, f"{path}.stages")
    )
    ids = [stage.id for stage in stages]
    if not stages or stages[0].kind is not Status.OPEN:
        check.refuse(f"{path}.stages", "must begin with an open stage", "第一个阶段须为进行中（OPEN）")
    if len(set(ids)) < len(ids):
        check.refuse(f"{path}.stages", "two stages have the same id", "阶段编号重复")
    kinds = [stage.kind for stage in stages if stage.kind in (Status.OPEN, Status.WON)]
    if Status.WON not in kinds or kinds != sorted(kinds):
        check.refuse(
            f"{path}.stages",
            "needs a stage of the kind WON, after all open ones",
            "须有 WON 阶段，且位于所有进行中阶段之后",
        )
    for kind in (Status.LOST, Status.ON_HOLD):
        if sum(stage.kind is kind for stage in stages) > 1:
            check.refuse(f"{path}.stages", f"at most one stage of the kind {kind.name}", f"最多一个 {kind.name} 阶段")
    for number, stage in enumerate(stages):
        for place, gate in enumerate(stage.gates):
            if gate.from_stage and gate.from_stage not in ids:
                at = f"{path}.stages[{number}].gates[{place}].fromStage"
                check.refuse(at, "there is no such stage", "没有这个阶段")
    is_default, open_qualified = (_flag(plain, key, check, path) for key in ("default", "openQualified"))
    confirm_by = plain.get("confirmBy", "")
    if confirm_by not in ("", "manager"):
        check.refuse(f"{path}.confirmBy", 'must be "manager", or empty', "须为 “manager” 或留空")
        confirm_by = ""
    display_name = _text(plain, "displayName", 100, check, path)
    return Pipeline(name, display_name, is_default, stages, confirm_by, open_qualified)


def _flag(plain: Mapping[str, Any], key: str, check: FieldCheck, path: str) -> bool:
    value = plain.get(key, False)
    if not isinstance(value, bool):
        check.refuse(f"{path}.{key}", "must be true or false", "须为 true 或 false")
    return value is True


def _stage(plain: Mapping[str, Any], check: FieldCheck, path: str) -> Stage:
    _known(plain, _STAGE, check, path)
    kind = plain.get("kind", "OPEN")
    names = [status.name for status in SHOWN]
    if kind not in names:
        check.refuse(f"{path}.kind", f"must be one of {', '.join(names)}", f"须为 {'、'.join(names)} 之一")
        kind = "OPEN"
    probability = plain.get("probability", 0)
    whole = (
        isinstance(probability, int | float) and not isinstance(probability, bool) and probability == probability // 1
    )
    if not whole or not 0 <= probability <= 100:
        check.refuse(f"{path}.probability", "must be a whole number from 0 to 100", "须为 0 至 100 的整数")
        probability = 0
    checklist = tuple(
        CheckItem(_id(one.get("id"), check, f"{at}.id"), _text(one, "title", 200, check, at))
        for at, one in _list(plain.get("checklist", []), MOST_ITEMS, check, f"{path}.checklist")
    )
    if len({item.id for item in checklist}) < len(checklist):
        check.refuse(f"{path}.checklist", "two items have the same id", "清单项编号重复")
    listed = _list(plain.get("gates", []), MOST_GATES, check, f"{path}.gates")
    gates = tuple(gate for at, one in listed if (gate := _gate(one, check, at)) is not None)
    id = _id(plain.get("id"), check, f"{path}.id")
    return Stage(id, _text(plain, "displayName", 100, check, path), Status[kind], int(probability), checklist, gates)


def _gate(plain: Mapping[str, Any], check: FieldCheck, path: str) -> Gate | None:
    if plain.get("kind") not in GateKind.__members__:
        names = GateKind.__members__
        check.refuse(f"{path}.kind", f"must be one of {', '.join(names)}", f"须为 {'、'.join(names)} 之一")
        return None
    kind = GateKind[plain["kind"]]
    _known(plain, _GATE[kind], check, path)
    from_stage = _text(plain, "fromStage", 63, check, path, required=False)
    texts = {key: _text(plain, name, 200, check, path, required=False) for key, name in _TEXTS}
    given: dict[str, Any] = {"from_stage": from_stage, **texts}
    if kind is GateKind.FILLED:
        field = given["field"] = _snake(_text(plain, "field", 80, check, path))
        if field and not conditions.is_fillable(field):
            check.refuse(f"{path}.field", "there is no such field", "没有这个字段")
    elif kind is GateKind.AMOUNT:
        given["minimum"] = _minimum(plain, check, path)
    elif kind is GateKind.CONDITION:
        source = given["expression"] = plain.get("expression", "")
        problem = conditions.wrong_with(source if isinstance(source, str) else "")
        if problem is not None:
            check.refuse(f"{path}.expression", problem.english, problem.chinese)
    if kind is GateKind.APPROVAL:
        given["flow"] = _id(plain.get("flow"), check, f"{path}.flow")
    if kind is GateKind.ATTACHMENT or (kind is GateKind.APPROVAL and "attachment" in plain):
        given["attachment"] = _attachment(plain.get("attachment"), check, f"{path}.attachment")
    if kind in (GateKind.ATTACHMENT, GateKind.FOLLOW_UPS):
        given["count"] = _count(plain.get("count", 1), check, f"{path}.count")
    return Gate(kind, **given)


_TEXTS = (("message", "message"), ("message_zh", "messageZh"), ("task", "task"))


def _attachment(value: Any, check: FieldCheck, path: str) -> str:
    if isinstance(value, str) and _ATTACHMENT.fullmatch(value):
        return value
    check.refuse(path, "must be 1 to 64 small letters, digits and dashes", "须为 1 至 64 个小写字母、数字或短横线")
    return ""


def _count(value: Any, check: FieldCheck, path: str) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool) and value in range(1, _MOST_COUNTED + 1):
        return int(value)
    check.refuse(path, f"must be from 1 to {_MOST_COUNTED}", f"须为 1 至 {_MOST_COUNTED}")
    return 1


def _minimum(plain: Mapping[str, Any], check: FieldCheck, path: str) -> Money | None:
    """`minimum` is text, "50000.50", or a whole number: a number with decimals has no exact value in JSON."""
    given = plain.get("minimum")
    if isinstance(given, float) and given == given // 1:
        given = int(given)
    currency = check.take(f"{path}.currency", fields.currency, plain.get("currency", "CNY"))
    if currency is None:
        return None
    try:
        minimum = Money(Decimal(given), currency) if type(given) in (int, str) and len(str(given)) < 32 else None  # type: ignore[arg-type]
        if minimum is not None and 0 <= minimum.amount < LARGEST and minimum.units >= 0:
            return minimum
    except (InvalidOperation, ValueError):
        pass
    check.refuse(
        f"{path}.minimum", 'must be a whole number or text such as "50000.50"', "须为整数或文本，如 “50000.50”"
    )
    return None


def _snake(name: str) -> str:
    head, dot, key = name.partition(".")
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", head) + dot + key


def _camel(name: str) -> str:
    head, dot, key = name.partition(".")
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), head) + dot + key


def to_plain(pipelines: tuple[Pipeline, ...]) -> dict[str, Any]:
    """What `from_plain` reads, with nothing in it that is as it would be anyway."""
    return {pipeline.id: _plain_pipeline(pipeline) for pipeline in pipelines}


def _plain_pipeline(pipeline: Pipeline) -> dict[str, Any]:
    plain: dict[str, Any] = {"displayName": pipeline.display_name, "stages": [_plain_stage(s) for s in pipeline.stages]}
    flags = (("default", pipeline.is_default), ("openQualified", pipeline.open_qualified))
    plain.update({key: True for key, value in flags if value})
    return {**plain, "confirmBy": pipeline.confirm_by} if pipeline.confirm_by else plain


def _plain_stage(stage: Stage) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": stage.id, "displayName": stage.display_name, "probability": stage.probability}
    if stage.kind is not Status.OPEN:
        plain["kind"] = stage.kind.name
    if stage.checklist:
        plain["checklist"] = [{"id": item.id, "title": item.title} for item in stage.checklist]
    if stage.gates:
        plain["gates"] = [_plain_gate(gate) for gate in stage.gates]
    return plain


def _plain_gate(gate: Gate) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": gate.kind.name}
    if gate.minimum is not None:
        plain.update(minimum=f"{gate.minimum.amount:f}", currency=gate.minimum.currency)
    if gate.kind in (GateKind.ATTACHMENT, GateKind.FOLLOW_UPS):
        plain["count"] = gate.count
    texts = (
        *(("field", _camel(gate.field)), ("fromStage", gate.from_stage), ("expression", gate.expression)),
        *(("attachment", gate.attachment), ("flow", gate.flow)),
        *((name, getattr(gate, key)) for key, name in _TEXTS),
    )
    plain.update({key: value for key, value in texts if value})
    return plain
