"""Rows of a sheet as captures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chassis import fields
from chassis.fields import FieldProblem
from leads.domain.lead import Capture, Channel
from leads.wire import capture, cells

_FUTURE = timedelta(minutes=5)
Wrong = list[tuple[str, str, str]]


class LeadRows:
    """What the columns of one sheet mean, made once. `columns` are {"header", "field"} in the order of the cells."""

    def __init__(self, columns: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
        self._zone = zone
        self._plain: list[tuple[int, str, str, Callable[[str, datetime], Any]]] = []
        self._own: list[tuple[int, str, str]] = []
        self._phone = next((c["header"] for c in columns if c["field"] == "phone"), "手机号 phone")
        for index, column in enumerate(columns):
            field, header = str(column["field"]), str(column["header"])
            if field.startswith("custom."):
                self._own.append((index, header, field.removeprefix("custom.")))
            elif field:
                self._plain.append((index, header, _NAMES[field], self._reader(_NAMES[field])))

    def _reader(self, name: str) -> Callable[[str, datetime], Any]:
        readers: dict[str, Callable[[str, datetime], Any]] = {
            "phone": _phone,
            "channel": lambda text, now: cells.channel(text),
            "intent": lambda text, now: cells.intent(text),
            "tags": lambda text, now: capture.labels(cells.labels(text)),
            "skills": lambda text, now: capture.labels(cells.labels(text)),
            "capture_time": self._time,
        }
        return readers.get(name) or capture.READERS[name]

    def _time(self, text: str, now: datetime) -> datetime:
        at = fields.moment(cells.moment(text, self._zone))
        if at > now + _FUTURE:
            raise FieldProblem("lies in the future", "不能晚于当前时间")
        return at

    def read(self, row: Sequence[str], now: datetime) -> tuple[Capture | None, Wrong]:
        """The capture, or None and what is wrong by header."""
        values: dict[str, Any] = {"channel": Channel.IMPORT}
        wrong: Wrong = []
        width = len(row)
        for index, header, name, read in self._plain:
            if index < width and (text := row[index]):
                try:
                    values[name] = read(text, now)
                except FieldProblem as problem:
                    wrong.append((header, problem.english, problem.chinese))
        own = {key: row[index] for index, _, key in self._own if index < width and row[index]}
        if own:
            try:
                values["custom"] = capture.checked(own)
            except FieldProblem as problem:
                wrong.append((self._own[0][1], problem.english, problem.chinese))
        if not wrong and not values.get("phone") and not values.get("email"):
            wrong.append((self._phone, "a phone or an e-mail is required", "手机号和邮箱至少填写一项"))
        return (None, wrong) if wrong else (Capture(**values), [])


def _phone(text: str, now: datetime) -> str:
    """As everywhere; what is wrong is told in digits, which is what people count (I5)."""
    try:
        return fields.direct_line(text)
    except FieldProblem:
        digits = sum(character.isdigit() for character in text)
        raise FieldProblem(
            f"“{text[:30]}” is no valid phone number: it has {digits} digits, a mobile number has 11",
            f"“{text[:30]}” 不是有效的电话号码：共 {digits} 位数字，手机号应为 11 位",
        ) from None


_NAMES = {
    **dict.fromkeys(("phone", "email", "company", "licence", "region", "industry", "category"), ""),
    **dict.fromkeys(("channel", "intent", "text", "tags", "skills"), ""),
    "fullName": "full_name",
    "captureTime": "capture_time",
}
_NAMES = {field: name or field for field, name in _NAMES.items()}
