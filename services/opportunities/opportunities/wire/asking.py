"""What activities is asked for: tasks and notices, as rules asks for them."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Struct

from dealwright.rules.v1 import events_pb2
from opportunities.domain.opportunity import Opportunity
from opportunities.domain.pipeline import Stage


def notice(of: Opportunity, person: str, zh: str, en: str, origin: str) -> events_pb2.ActionRequested:
    """Tells a person."""
    return _request(of, "NOTIFY", person, zh, en, {"subject_zh": zh, "subject_en": en}, origin)


def task(of: Opportunity, title: str, origin: str) -> events_pb2.ActionRequested:
    """A task for its owner; the same origin makes one."""
    more = {"kind": "TODO", "title_zh": title, "title_en": title, "detail_zh": of.title, "detail_en": of.title}
    return _request(of, "CREATE_TASK", of.owner, title, title, more, origin)


def ready(of: Opportunity, stage: Stage) -> events_pb2.ActionRequested:
    zh = f"商机 {of.number} 已满足“{stage.display_name}”阶段的全部条件，可以推进"
    en = f"Nothing is missing any more for opportunity {of.number} to move to {stage.display_name}"
    return notice(of, of.owner, zh, en, f"{of.name}/ready/{stage.id}")


def awaiting(of: Opportunity, manager: str) -> events_pb2.ActionRequested:
    zh, en = f"新商机 {of.number} 待您确认负责人", f"New opportunity {of.number} awaits your confirmation of its owner"
    return notice(of, manager, zh, en, f"{of.name}/awaiting")


def confirmed(of: Opportunity) -> events_pb2.ActionRequested:
    zh, en = f"商机 {of.number} 已确认由您负责", f"Opportunity {of.number} is confirmed as yours"
    return notice(of, of.owner, zh, en, f"{of.name}/confirmed/{of.owner_version}")


def quoted(of: Opportunity, approval: str) -> events_pb2.ActionRequested:
    zh = f"商机 {of.number} 的报价已获批，预计金额已更新为报价总额"
    en = f"A quote of opportunity {of.number} is approved: its total is the expected amount now"
    return notice(of, of.owner, zh, en, f"{approval}/taken")


def refused(of: Opportunity, person: str, stage: str, zh: str, en: str, follow_up: str) -> events_pb2.ActionRequested:
    chinese = f"跟进已记录，但商机 {of.number} 未能推进到“{stage}”：{zh}"
    english = f"The follow-up is logged, but opportunity {of.number} was not moved to {stage}: {en}"
    return notice(of, person, chinese, english, f"{follow_up}/refused")


def _request(
    of: Opportunity, action: str, person: str, zh: str, en: str, more: dict[str, str], origin: str
) -> events_pb2.ActionRequested:
    parameters = Struct()
    parameters.update({"customer": of.customer, "opportunity": of.name, "text_zh": zh, "text_en": en, **more})
    return events_pb2.ActionRequested(
        subject=of.name,
        action=action,
        person=person,
        owner_version=of.owner_version,
        parameters=parameters,
        text_zh=zh,
        text_en=en,
        origin=origin,
    )
