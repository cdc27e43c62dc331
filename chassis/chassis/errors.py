"""The five ways to say no.

Use cases raise these; the server maps them to gRPC statuses and the gateway maps those to RFC 9457 problems.
Messages are for people, in English and Chinese; `reason` is stable and for programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Violation:
    """One wrong field. `field` is the path within the request, "lead.phone"."""

    field: str
    english: str
    chinese: str


class Problem(Exception):
    """An answer that says no. `code` is the name of the gRPC status, `violations` are the fields it is about."""

    code = "FAILED_PRECONDITION"
    violations: Sequence[Violation] = ()

    def __init__(self, reason: str, english: str, chinese: str) -> None:
        super().__init__(english)
        self.reason = reason
        self.english = english
        self.chinese = chinese


class Invalid(Problem):
    """What came in is wrong; every wrong field is named."""

    code = "INVALID_ARGUMENT"

    def __init__(self, violations: Sequence[Violation | tuple[str, str, str]]) -> None:
        self.violations: list[Violation] = [v if isinstance(v, Violation) else Violation(*v) for v in violations]
        first = self.violations[0] if self.violations else Violation("", "invalid", "无效")
        super().__init__("INVALID", f"{first.field}: {first.english}", f"{first.field}: {first.chinese}")


class NotFound(Problem):
    """There is none, or none that the caller may see (the answer does not tell which)."""

    code = "NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__("NOT_FOUND", f"{name or 'It'} was not found.", f"找不到 {name or '该记录'}。")


class Denied(Problem):
    """The caller lacks a right; the message says which."""

    code = "PERMISSION_DENIED"

    def __init__(self, right: str) -> None:
        super().__init__("DENIED", f"You lack the right: {right}.", f"您没有权限：{right}。")
        self.right = right


@dataclass(frozen=True)
class Changed:
    """A field that is not as the caller read it: what it holds now as plain data (`too_long` where that is more than an
    error carries), who changed it last, and when; nobody and None where that is not known."""

    field: str
    value: Any = None
    too_long: bool = False
    actor: str = ""
    time: datetime | None = None


class Stale(Problem):
    """Somebody changed it since the caller read it. `etag` is what it is now, `changes` what was changed since."""

    code = "ABORTED"

    def __init__(self, name: str, etag: str = "", changes: Sequence[Changed] = ()) -> None:
        self.etag = etag
        self.changes = tuple(changes)
        super().__init__(
            "STALE",
            f"{name} was changed meanwhile; read it again and repeat.",
            f"{name} 已被他人修改，请刷新后重试。",
        )


class Refused(Problem):
    """Right in form, wrong at this moment. `code` where another status says it better."""

    def __init__(
        self,
        reason: str,
        english: str,
        chinese: str,
        code: str = "FAILED_PRECONDITION",
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(reason, english, chinese)
        self.code = code
        self.violations = violations


def already_exists(field: str, value: str, deleted: bool = False) -> Refused:
    """`deleted`: by one that was deleted and can still be brought back."""
    english, chinese = f"{field} {value!r} is taken", f"{field} “{value}” 已被占用"
    if deleted:
        english += " by one that was deleted: bring that back, or take another"
        chinese += "（占用者已删除，可将其恢复，或另取一个）"
    return Refused("ALREADY_EXISTS", f"{english}.", f"{chinese}。", code="ALREADY_EXISTS")


def not_deleted(name: str) -> Refused:
    return Refused("NOT_DELETED", f"{name} is not deleted.", f"{name} 未被删除。")


def unauthenticated(
    english: str = "Sign in first.", chinese: str = "请先登录。", reason: str = "UNAUTHENTICATED"
) -> Refused:
    return Refused(reason, english, chinese, code="UNAUTHENTICATED")


def exhausted(english: str, chinese: str, reason: str = "RATE_LIMITED") -> Refused:
    return Refused(reason, english, chinese, code="RESOURCE_EXHAUSTED")
