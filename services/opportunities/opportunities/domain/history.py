"""What happened to an opportunity before it was entered: when it was opened, moved and closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from opportunities.domain.opportunity import CLOSED, Status
from opportunities.domain.pipeline import Pipeline, Stage

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
Wrong = tuple[str, str, str]

# How sheets call what is over.
_ENDS = {
    **dict.fromkeys(("won", "赢单", "成交", "已成交", "closedwon"), Status.WON),
    **dict.fromkeys(("lost", "输单", "丢单", "失败", "closedlost"), Status.LOST),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of it: `visits` are (stage, when it came into it) in the order in which they were, None where nobody
    said when."""

    opened: datetime | None = None
    closed: datetime | None = None
    reason: str = ""
    visits: tuple[tuple[str, datetime | None], ...] = ()

    @property
    def times(self) -> bool:
        """Whether anything is said of when."""
        return bool(self.opened or self.closed or self.visits)


NOTHING = Told()


@dataclass(frozen=True, slots=True)
class Visit:
    """A stage, and when it came into it. `known`: somebody said how it came there."""

    stage: Stage
    time: datetime
    known: bool = True


class Impossible(Exception):
    """It cannot have been so; `wrong` are the fields, each with why in English and Chinese."""

    def __init__(self, *wrong: Wrong) -> None:
        super().__init__(wrong)
        self.wrong = wrong


def stage_called(way: Pipeline, said: str, before: Stage | None = None) -> Stage | None:
    """A stage by its id, its name, or as what is over is called. Where the pipeline shows what is lost in no stage of
    its own, it is lost in the one `before`."""
    plain = said.replace(" ", "").casefold()
    for stage in way.stages:
        if plain in (stage.id.casefold(), stage.display_name.replace(" ", "").casefold()):
            return stage
    end = _ENDS.get(plain)
    if end is None:
        return None
    found = way.of_kind(end)
    if found is None and before is not None:
        return replace(before, kind=end, probability=0)
    return found


def visits(way: Pipeline, stage: str, told: Told, now: datetime) -> tuple[Visit, ...]:
    """The stages that it passed, the one that it was opened in first. `stage` is the one that it stands in, empty where
    that is the last that is told. Raises Impossible."""
    _times(told, now)
    passed = _passed(way, told)
    last = passed[-1].stage if passed else None
    here = stage_called(way, stage, last) if stage else last or way.first
    if here is None:
        raise Impossible(("opportunity.stage", "there is no such stage", "没有这个阶段"))
    if here != last:
        at = _ended(here, told, passed, now)
        if here.kind is not Status.OPEN or passed:
            passed.append(Visit(here, at, known=bool(passed)))
        else:
            passed.append(Visit(here, told.opened or now))
    _check_close(passed, told)
    return _from_opening(way, passed, told)


def _times(told: Told, now: datetime) -> None:
    """Each by itself, and each after those before it."""
    named = [("opportunity.open_time", told.opened)]
    named += [(f"history.{place}.enter_time", time) for place, (_, time) in enumerate(told.visits)]
    named.append(("opportunity.close_time", told.closed))
    wrong: list[Wrong] = []
    earliest = EARLIEST
    for field, time in named:
        if time is None:
            if field.startswith("history"):
                wrong.append((field, "is required", "必填"))
        elif not EARLIEST <= time <= now:
            wrong.append((field, "must lie in the past, from 2000 on", "须为 2000 年以来的过去时间"))
        elif time < earliest:
            wrong.append((field, "must not be before what happened before it", "不能早于之前发生的事"))
        else:
            earliest = time
    if wrong:
        raise Impossible(*wrong)


def _passed(way: Pipeline, told: Told) -> list[Visit]:
    found: list[Visit] = []
    for place, (said, time) in enumerate(told.visits):
        field = f"history.{place}.stage"
        before = found[-1].stage if found else None
        stage = stage_called(way, said, before)
        if stage is None:
            raise Impossible((field, "there is no such stage", "没有这个阶段"))
        if before is not None and stage == before:
            raise Impossible((field, "is where it was already", "与上一阶段相同"))
        if before is not None and before.kind in CLOSED and stage.kind is not before.kind:
            raise Impossible((field, "comes after it was closed", "商机关闭之后不能再有阶段"))
        assert time is not None, "times are looked at first"
        found.append(Visit(stage, time))
    return found


def _ended(here: Stage, told: Told, passed: Sequence[Visit], now: datetime) -> datetime:
    """When it came to where it stands, where `history` does not say."""
    if passed and (here.kind not in CLOSED or passed[-1].stage.kind in CLOSED):
        raise Impossible(("opportunity.stage", "is not the last of its history", "与历史的最后阶段不符"))
    if here.kind in CLOSED:
        return told.closed or now
    return now


def _check_close(passed: Sequence[Visit], told: Told) -> None:
    closing = next((visit for visit in passed if visit.stage.kind in CLOSED), None)
    if told.closed is None:
        return
    if closing is None:
        raise Impossible(("opportunity.close_time", "is of what is won or lost", "只有赢单或输单才有关闭时间"))
    if closing.time != told.closed:
        raise Impossible(("opportunity.close_time", "is another than its history has", "与历史中的关闭时间不符"))


def _from_opening(way: Pipeline, passed: Sequence[Visit], told: Told) -> tuple[Visit, ...]:
    first = passed[0]
    opened = told.opened or first.time
    if first.stage.kind is Status.OPEN and first.time == opened:
        return tuple(passed)
    if first.stage == way.first:
        raise Impossible(("history.0.enter_time", "is not when it was opened", "与商机创建时间不符"))
    return (Visit(way.first, opened), *passed)
