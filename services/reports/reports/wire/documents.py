"""What the blueprint has of reports (KPIs, boards, rules of alerts, schedules): protobuf's JSON, without what nobody
sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from google.protobuf import json_format

from chassis.errors import Invalid
from chassis.fields import FieldCheck
from dealwright.reports.v1 import alerts_pb2, exports_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.alert import AlertRule
from reports.domain.board import Board
from reports.domain.checking import id_fits
from reports.domain.kpi import Kpi
from reports.domain.schedule import ExportSchedule
from reports.wire import alert_messages, definitions, messages, schedule_messages

MOST = 1000
_OURS = ("name", "version", "owner", "etag", "create_time", "update_time", "delete_time")
_KEPT = ("version", "owner", "revision", "create_time", "update_time")
D = TypeVar("D", Kpi, Board)
T = TypeVar("T")
_RECORDS: Mapping[str, tuple[Callable[[], Any], Any]] = {
    "alertRules": (alerts_pb2.AlertRule, alert_messages),
    "exportSchedules": (exports_pb2.ExportSchedule, schedule_messages),
}


def plain(
    kpis: Sequence[Kpi], boards: Sequence[Board], rules: Sequence[AlertRule], schedules: Sequence[ExportSchedule]
) -> dict[str, Any]:
    return {
        "kpis": {_id(one): _written(messages.definition(one)) for one in kpis},
        "boards": {_id(one): _written(definitions.shown_board(one)) for one in boards},
        "alertRules": {_id(one): _written(alert_messages.rule(one)) for one in rules},
        "exportSchedules": {_id(one): _written(schedule_messages.schedule(one)) for one in schedules},
    }


def kpis(given: Any, check: FieldCheck) -> list[Kpi]:
    """What is wrong is noted in `check`."""
    return _read("kpis", given, pb.Kpi, definitions.new_kpi, check)


def boards(given: Any, check: FieldCheck) -> list[Board]:
    """What is wrong is noted in `check`."""
    return _read("boards", given, pb.Board, definitions.new_board, check)


def records(key: str, given: Any, check: FieldCheck) -> list[tuple[str, dict[str, Any]]]:
    """Ids, and the values of the columns. What is wrong is noted in `check`."""
    message, wire = _RECORDS[key]
    return _read(key, given, message, lambda id, said: (id, wire.read(said, wire.GIVEN)), check)


def over(before: D, after: D) -> D:
    """What a document says, with what it does not say of the one that is there."""
    return replace(after, **{name: getattr(before, name) for name in _KEPT if hasattr(before, name)})


def _read(
    key: str, given: Any, message: Callable[[], Any], read: Callable[[str, Any], T], check: FieldCheck
) -> list[T]:
    if not isinstance(given, Mapping) or len(given) > MOST:
        check.refuse(key, f"must be an object of at most {MOST}", f"须为最多 {MOST} 项的对象")
        return []
    found: list[T] = []
    for id, content in given.items():
        path = f"{key}.{id[:64]}"
        if not id_fits(id):
            check.refuse(path, "must be 2 to 63 of a-z, 0-9 and -", "须为 2 至 63 个小写字母、数字或连字符")
            continue
        if not isinstance(content, Mapping):
            check.refuse(path, "must be an object", "须为对象")
            continue
        wrong = [name for name in _OURS if name in content]
        for name in wrong:
            check.refuse(f"{path}.{name}", "nobody sets", "不可设置")
        if wrong:
            continue
        try:
            found.append(read(id, json_format.ParseDict(_whole(content), message())))
        except json_format.ParseError as problem:
            check.refuse(path, str(problem)[:300], str(problem)[:300])
        except Invalid as problem:
            for one in problem.violations:
                check.refuse(f"{path}.{one.field.partition('.')[2]}", one.english, one.chinese)
    return found


def _whole(content: Any) -> Any:
    """The blueprint's numbers are fractions."""
    if isinstance(content, Mapping):
        return {key: _whole(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_whole(one) for one in content]
    return int(content) if isinstance(content, float) and content.is_integer() else content


def _written(of: Any) -> dict[str, Any]:
    for name in _OURS:
        if name in of.DESCRIPTOR.fields_by_name:
            of.ClearField(name)
    found: dict[str, Any] = json_format.MessageToDict(of)
    return found


def _id(of: Kpi | Board | AlertRule | ExportSchedule) -> str:
    return of.name.partition("/")[2]
