"""A file on its way in: what it is, how far it is, and what became of each of its rows."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


class ImportKind(enum.IntEnum):
    KIND_UNSPECIFIED = 0
    LEADS = 1
    CUSTOMERS = 2
    CONTACTS = 3
    OPPORTUNITIES = 4
    FOLLOW_UPS = 5


class State(enum.IntEnum):
    STATE_UNSPECIFIED = 0
    UPLOADING = 1
    READING = 2
    PREVIEWING = 3
    PREVIEWED = 4
    RUNNING = 5
    SUCCEEDED = 6
    FAILED = 7
    CANCELLED = 8
    UNDOING = 9
    UNDONE = 10


class OnConflict(enum.IntEnum):
    ON_CONFLICT_UNSPECIFIED = 0
    SKIP = 1
    UPDATE = 2
    MERGE = 3
    TOUCH = 4


class Verdict(enum.IntEnum):
    VERDICT_UNSPECIFIED = 0
    CREATED = 1
    MATCHES = 2
    CONFLICT = 3
    ERROR = 4


class Outcome(enum.IntEnum):
    OUTCOME_UNSPECIFIED = 0
    MADE = 1
    TOUCHED = 2
    MERGED = 3
    UPDATED = 4
    SKIPPED = 5
    REFUSED = 6
    TAKEN_BACK = 7
    KEPT = 8


# Somebody works on these by itself.
UNDER_WAY = frozenset({State.READING, State.PREVIEWING, State.RUNNING, State.UNDOING})
# What was taken in and can be taken back.
TAKEN_IN = frozenset({State.SUCCEEDED, State.CANCELLED, State.FAILED})
# Which right it needs, by what is imported.
RESOURCES: Mapping[int, str] = {
    ImportKind.LEADS: "leads",
    ImportKind.CUSTOMERS: "customers",
    ImportKind.CONTACTS: "contacts",
    ImportKind.OPPORTUNITIES: "opportunities",
    ImportKind.FOLLOW_UPS: "followUps",
}
COUNTED: Mapping[Outcome, str] = {
    Outcome.MADE: "created",
    Outcome.TOUCHED: "touched",
    Outcome.MERGED: "merged",
    Outcome.UPDATED: "updated",
    Outcome.SKIPPED: "skipped",
    Outcome.REFUSED: "refused",
    Outcome.TAKEN_BACK: "undone",
    Outcome.KEPT: "kept",
}
JUDGED: Mapping[Verdict, str] = {
    Verdict.CREATED: "created",
    Verdict.MATCHES: "matches",
    Verdict.CONFLICT: "conflicts",
    Verdict.ERROR: "refused",
}
MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """Fields in the order of the columns. `caller` is the importer's principal as plain data: what is done later is
    done with his rights. `mapping` is header to field as he chose, `columns` what it came to; `counts` by the names of
    the contract. `block` is the block of rows that is next, `lease` until when somebody has it in hand. `fingerprint`
    is what makes a double click one import; empty while it is only looked at, and after it was undone."""

    name: str
    owner: str
    team: str
    caller: Mapping[str, Any]
    kind: int
    state: int
    file_name: str
    size: int
    digest: str
    fingerprint: str
    format: str
    encoding: str
    delimiter: str
    columns: Sequence[Mapping[str, Any]]
    mapping: Mapping[str, str]
    on_conflict: int
    choices: Mapping[str, int]
    historical: bool
    validate_only: bool
    total: int
    done: int
    block: int
    counts: Mapping[str, int]
    kept: Sequence[str]
    problem: Mapping[str, str] | None
    lease: datetime | None
    create_time: datetime
    update_time: datetime
    start_time: datetime | None
    end_time: datetime | None
    delete_time: datetime | None
    version: int

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def finished(self) -> bool:
        """Nothing more happens by itself."""
        return not self.under_way and self.state != State.UPLOADING

    def choice(self, number: int) -> OnConflict:
        """What becomes of this row where its record is known."""
        chosen = self.choices.get(str(number)) or self.on_conflict
        return OnConflict(chosen) if chosen else OnConflict.MERGE


@dataclass(slots=True)
class Result:
    """What became of one row. `undo` is what it takes to take it back: what a record held before and holds now, the
    keys that it got, its version. Kept as plain data beside the rows."""

    verdict: int = Verdict.VERDICT_UNSPECIFIED
    outcome: int = Outcome.OUTCOME_UNSPECIFIED
    record: str = ""
    differences: list[list[str]] = field(default_factory=list)
    # (reason, English, Chinese) and the fields with theirs.
    problem: list[str] | None = None
    fields: list[list[str]] = field(default_factory=list)
    undo: dict[str, Any] | None = None

    def stays(self, why: Sequence[str]) -> Result:
        """An undo leaves its record, for this reason: what there was to take back is kept for another try."""
        undo = {**(self.undo or {}), "outcome": int(self.outcome)}
        return replace(self, outcome=Outcome.KEPT, problem=list(why), undo=undo)

    def again(self) -> Result:
        """As it was before an undo left its record; what became of any other row stays."""
        if self.outcome != Outcome.KEPT or "outcome" not in (self.undo or {}):
            return self
        undo = dict(self.undo or {})
        return replace(self, outcome=undo.pop("outcome"), problem=None, undo=undo or None)

    def plain(self) -> list[Any]:
        found = [self.verdict, self.outcome, self.record, self.differences, self.problem, self.fields, self.undo]
        while found and not found[-1]:
            found.pop()
        return found

    @staticmethod
    def read(plain: Sequence[Any]) -> Result:
        whole = [*plain, *_EMPTY[len(plain) :]]
        return Result(whole[0], whole[1], whole[2], whole[3] or [], whole[4], whole[5] or [], whole[6])


_EMPTY: Sequence[Any] = (0, 0, "", None, None, None, None)


def refusal(reason: str, english: str, chinese: str, fields: Sequence[Sequence[str]] = ()) -> Result:
    """A row that cannot be taken."""
    return Result(Verdict.ERROR, Outcome.REFUSED, "", [], [reason, english, chinese], [list(one) for one in fields])


# Why an undo leaves a record: (reason, English, Chinese).
WORKED_ON = ("WORKED_ON", "somebody worked on it since; it stays", "导入后已有人跟进，予以保留")
_HANGING = {
    "opportunities": ("opportunities", "商机"),
    "quotes": ("quotes", "报价"),
    "contracts": ("contracts", "合同"),
    "approvals": ("approvals", "审批"),
    "customers": ("customers merged into it", "并入的客户"),
    "contacts": ("contacts", "联系人"),
    "followUps": ("follow-ups", "跟进"),
    "tasks": ("tasks", "任务"),
    "attachments": ("files", "附件"),
    "checkIns": ("check-ins", "签到"),
    "changeRequests": ("changes of requirements", "需求变更"),
    "interactions": ("interactions", "互动记录"),
    "shares": ("shares", "共享"),
}


def hanging(kinds: Sequence[str]) -> list[str]:
    """Why a record stays on which such things hang: reason, English, Chinese."""
    words = [_HANGING.get(kind, (kind, kind)) for kind in dict.fromkeys(kinds)]
    english, chinese = ", ".join(word for word, _ in words), "、".join(word for _, word in words)
    return ["IN_USE", f"it has {english} by now; it stays", f"导入后已有{chinese}，予以保留"]


def counted(job: Job, results: Sequence[Result], preview: bool) -> Job:
    """The job with these rows counted."""
    counts = dict(job.counts)
    for result in results:
        name = JUDGED.get(Verdict(result.verdict)) if preview else COUNTED.get(Outcome(result.outcome))
        if name:
            counts[name] = counts.get(name, 0) + 1
    return replace(job, counts=counts)
