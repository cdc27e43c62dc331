"""Reads and checks people as they come in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.directory.v1 import directory_pb2 as pb
from directory.domain import rights
from directory.domain.guessable import guessable
from directory.domain.people import PRESENCES, SENIORITIES, STATES

LONGEST_PASSWORD, SHORTEST_PASSWORD = 200, 10
MOST_LEADS = 1_000_000
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._+@-]{0,63}")
_NAME = re.compile(r"[a-z]+/[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def name_of(value: str, collection: str, field: str = "name") -> str:
    """A resource name of the collection. Raises Invalid."""
    if not _NAME.fullmatch(value) or not value.startswith(collection + "/"):
        raise Invalid([(field, f'must look like "{collection}/..."', f"格式应为“{collection}/…”")])
    return value


def optional_name(value: str, collection: str) -> str:
    if value and (not _NAME.fullmatch(value) or not value.startswith(collection + "/")):
        raise FieldProblem(f'must look like "{collection}/..."', f"格式应为“{collection}/…”")
    return value


def login(value: str) -> str:
    """Lower case; empty for somebody who never signs in."""
    plain = value.strip().lower()
    if plain and not _LOGIN.fullmatch(plain):
        raise FieldProblem(
            "must have 1 to 64 of a-z, 0-9, . _ + @ - and start with a letter or digit",
            "须为 1 至 64 位小写字母、数字或 . _ + @ -，并以字母或数字开头",
        )
    return plain


def password(value: str) -> str:
    if len(value) < SHORTEST_PASSWORD:
        raise FieldProblem(f"must have at least {SHORTEST_PASSWORD} characters", f"至少 {SHORTEST_PASSWORD} 个字符")
    if len(value) > LONGEST_PASSWORD:
        raise FieldProblem(f"must have at most {LONGEST_PASSWORD} characters", f"不能超过 {LONGEST_PASSWORD} 个字符")
    if guessable(value):
        raise FieldProblem(
            "is too easy to guess: repeated characters, a row of keys, or a common password",
            "过于简单：请勿使用重复字符、连续按键或常见密码",
        )
    return value


def checked_password(value: str, field: str) -> str:
    try:
        return password(value)
    except FieldProblem as problem:
        raise Invalid([(field, problem.english, problem.chinese)]) from problem


def sign_in_login(value: str) -> str:
    """A login as somebody types it; "" for one that nobody can have, so that it fails like a wrong one."""
    try:
        return login(value[:200])
    except FieldProblem:
        return ""


def _role_id(value: str) -> str:
    plain = value.removeprefix("roles/")
    if plain not in rights.ROLE_IDS:
        raise FieldProblem(f"must be one of {', '.join(rights.ROLE_IDS)}", f"必须是 {'、'.join(rights.ROLE_IDS)} 之一")
    return plain


def _words(values: Sequence[str]) -> tuple[str, ...]:
    if len(values) > 50:
        raise FieldProblem("at most 50", "最多 50 个")
    return tuple(dict.fromkeys(fields.text(v, 64, required=True) for v in values))


def _one_of(known: Sequence[str], what: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in known:
            raise FieldProblem(f"unknown {what}", "未知的值")
        return value

    return read


def _weight(value: int) -> int:
    if not 1 <= value <= 100:
        raise FieldProblem("must be 1 to 100", "必须在 1 至 100 之间")
    return value


def _limit(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MOST_LEADS:
        raise FieldProblem(f"must be 0 to {MOST_LEADS}", f"必须在 0 至 {MOST_LEADS} 之间")
    return value


def _enum(kind: Any, known: Sequence[str], value: int) -> str:
    """The name of an enum's value; an unknown number or UNSPECIFIED is refused."""
    found = kind.DESCRIPTOR.values_by_number.get(value)
    if found is None or found.name not in known:
        raise FieldProblem(f"must be one of {', '.join(known)}", f"必须是 {'、'.join(known)} 之一")
    return str(found.name)


def presence(value: int) -> str:
    return _enum(pb.Person.Presence, PRESENCES, value)


def checked_presence(value: int) -> str:
    try:
        return presence(value)
    except FieldProblem as problem:
        raise Invalid([("presence", problem.english, problem.chinese)]) from problem


def state(value: int) -> str:
    return _enum(pb.Person.State, STATES, value)


_TEXTS: Mapping[str, Callable[[str], str]] = {
    "display_name": lambda v: fields.text(v, 100, required=True),
    "login": login,
    "role": _role_id,
    "team": lambda v: optional_name(v, "teams"),
    "manager": lambda v: optional_name(v, "people"),
    "region": fields.region,
    "seniority": _one_of(SENIORITIES, "seniority: junior or senior"),
    "calendar": lambda v: optional_name(v, "calendars"),
    "email": lambda v: fields.email(v) if v.strip() else "",
}
_IGNORED = frozenset({"name", "create_time", "update_time", "etag"})
PERSON_PATHS = frozenset(
    {*_TEXTS, "password", "skills", "industries", "weight", "capacity", "capacity.open", "capacity.per_day"}
    | {"location", "presence", "state"}
)
_CREATED = tuple(sorted(PERSON_PATHS - {"capacity.open", "capacity.per_day", "password"}))


def mask_paths(mask: FieldMask, message: Message, known: Iterable[str]) -> list[str]:
    """The paths to change: those of the mask, the populated fields without one, all for "*". What only we set is
    left out, as AIP-203 has it. Raises Invalid for an unknown path."""
    every = frozenset(known)
    if not mask.paths:
        paths = [f.name for f, _ in message.ListFields()]
    elif list(mask.paths) == ["*"]:
        paths = sorted(p for p in every if "." not in p and p != "password")
    else:
        snake = {p: re.sub("[A-Z]", lambda m: "_" + m[0].lower(), p) for p in mask.paths}
        paths = list(dict.fromkeys(snake.values()))
    paths = [p for p in paths if p not in _IGNORED]
    wrong = [p for p in paths if p not in every]
    if wrong:
        raise Invalid([("update_mask", f"unknown field {p[:64]!r}", f"未知字段 {p[:64]!r}") for p in wrong])
    return paths


def read_person(person: pb.Person, paths: Iterable[str], prefix: str = "person") -> dict[str, Any]:
    """The checked values of these paths as Person's fields ("password" as typed). Raises Invalid naming each."""
    check, values = FieldCheck(), dict[str, Any]()

    def take(path: str, field: str, read: Callable[[Any], Any], value: Any) -> None:
        values[field] = check.take(f"{prefix}.{path}", read, value)

    for path in paths:
        if path in _TEXTS:
            take(path, path, _TEXTS[path], getattr(person, path))
        elif path == "password":
            take(path, path, password, person.password)
        elif path in ("skills", "industries"):
            take(path, path, _words, list(getattr(person, path)))
        elif path == "weight":
            take(path, path, _weight, person.weight)
        elif path.startswith("capacity"):
            for part, field in (("open", "open_limit"), ("per_day", "day_limit")):
                if path in ("capacity", f"capacity.{part}"):
                    limit = getattr(person.capacity, part) if person.capacity.HasField(part) else None  # type: ignore[arg-type]
                    take(f"capacity.{part}", field, _limit, limit)
        elif path == "location":
            place: tuple[float | None, float | None] | None = (None, None)
            if person.HasField("location"):
                place = check.take(
                    f"{prefix}.location", fields.location, person.location.latitude, person.location.longitude
                )
            values["latitude"], values["longitude"] = place or (None, None)
        elif path == "presence":
            take(path, path, presence, person.presence)
        elif path == "state":
            take(path, path, state, person.state)
    if check.violations:
        raise Invalid(check.violations)
    return values


def read_new_person(person: pb.Person) -> dict[str, Any]:
    """All values of a new person with the defaults filled in. Raises Invalid."""
    filled = pb.Person()
    filled.CopyFrom(person)
    if not person.HasField("display_name"):
        filled.display_name = person.login
    filled.weight = person.weight or 1
    filled.presence = person.presence or pb.Person.ONLINE
    filled.state = person.state or pb.Person.ACTIVE
    return read_person(filled, [*_CREATED, *(["password"] if person.password else [])])
