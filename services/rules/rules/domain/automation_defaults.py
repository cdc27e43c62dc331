"""The automations that a new system has, as a company would write them in its blueprint."""

from __future__ import annotations

from typing import Any


def _silent(id: str, zh: str, en: str, days: int, actions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    head = {"id": id, "nameZh": zh, "nameEn": en, "on": "OPPORTUNITY_SILENT", "after": {"days": days}}
    return {**head, **more, "actions": actions}


def _task(zh: str, en: str, due_hours: int, *to: str) -> dict[str, Any]:
    return {"kind": "CREATE_TASK", "to": list(to or ("owner",)), "titleZh": zh, "titleEn": en, "dueHours": due_hours}


def _told(kind: str, subject: tuple[str, str], text: tuple[str, str], *to: str, **more: Any) -> dict[str, Any]:
    titles = {"titleZh": subject[0], "titleEn": subject[1], "textZh": text[0], "textEn": text[1]}
    return {"kind": kind, "to": list(to), **titles, **more}


def _tier(tier: str, days: int) -> dict[str, Any]:
    zh, en = f"{tier} 级客户{days}天未联系", f"Tier {tier} customer untouched for {days} days"
    task = _task("{customer}已{days}天未联系，请安排跟进", "{customer}: no contact for {days} days", 48)
    return {
        "id": f"tier-{tier.lower()}-untouched",
        "nameZh": zh,
        "nameEn": en,
        "on": "CUSTOMER_SILENT",
        "when": f'tier == "{tier}"',
        "after": {"days": days},
        "repeat": {"days": days},
        "actions": [task],
    }


_IMPORTANT = 'importance == "IMPORTANT"'
_TO_SOLUTION = 'fromStage == "needs-analysis" && toStage == "solution"'

DEFAULTS: list[dict[str, Any]] = [
    {
        "id": "quote-task",
        "nameZh": "进入报价阶段时安排报价",
        "nameEn": "A quote is asked for in the quote stage",
        "on": "STAGE_CHANGED",
        "when": 'toStage == "quote" || toStage == "proposal-quote"',
        "actions": [
            _task("为商机 {number} {title} 准备报价", "Prepare the quote for {number} {title}", 48, "part:quote|报价"),
            _told(
                "NOTIFY",
                ("商机 {number} 待报价", "{number} wants a quote"),
                (
                    "{title}已进入报价阶段，请在两天内提交报价。",
                    "{title} has come to its quote: hand it in within two days.",
                ),
                "part:quote|报价",
            ),
        ],
    },
    {
        "id": "solution-task",
        "nameZh": "需求分析转方案提供时提交解决方案",
        "nameEn": "From needs analysis to solution: the solution is asked for",
        "on": "STAGE_CHANGED",
        "when": _TO_SOLUTION,
        "actions": [_task("提交解决方案", "Submit the solution", 72)],
    },
    {
        "id": "solution-template",
        "nameZh": "需求分析转方案提供时发送方案模板",
        "nameEn": "From needs analysis to solution: the template is sent",
        "on": "STAGE_CHANGED",
        "when": _TO_SOLUTION,
        "actions": [
            _told(
                "MAIL",
                ("标准方案模板：{title}", "Standard solution template: {title}"),
                (
                    "商机 {number} {title} 已进入方案提供阶段，请以附件中的标准模板编写解决方案。",
                    "{number} {title} has come to its solution; please write it with the attached standard template.",
                ),
                "owner",
                template="标准解决方案",
            )
        ],
    },
    _silent(
        "important-reminder",
        "重要商机7天未跟进时提醒",
        "An important opportunity without follow-up for 7 days",
        7,
        [_task("重要商机 {title} 已{days}天未跟进，请尽快跟进", "{title} is important and lies for {days} days", 24)],
        when=_IMPORTANT,
        repeat={"days": 7},
    ),
    {
        "id": "important-daily",
        "nameZh": "每日扫描高优商机",
        "nameEn": "Important opportunities, looked at daily",
        "on": "DAILY",
        "at": "09:00",
        "after": {"days": 7},
        "when": _IMPORTANT,
        "actions": [
            _told(
                "MAIL",
                (
                    "【高优商机跟进预警】{title}项目已超过{after}天未跟进",
                    "[Important opportunity] {title} without follow-up for more than {after} days",
                ),
                (
                    "商机 {number} {title}（客户：{customer}）已{days}天未跟进，请立即安排。",
                    "{number} {title} of {customer} was not followed up for {days} days. Please see to it at once.",
                ),
                *("owner", "manager"),
            )
        ],
    },
    _silent(
        "stalled-warning",
        "商机停滞7天预警",
        "An opportunity that lies for 7 days is warned",
        7,
        [{"kind": "WARN", "textZh": "已{days}天没有进展", "textEn": "Nothing happened for {days} days"}],
        repeat={"days": 7},
    ),
    _silent(
        "untouched-notice",
        "商机14天未跟进时通知负责人和主管",
        "Owner and manager hear of 14 days without follow-up",
        14,
        [
            _told(
                "NOTIFY",
                ("商机 {title} 已{days}天未跟进", "{title} lies for {days} days"),
                (
                    "商机 {number} {title} 已{days}天没有任何跟进，请尽快处理。",
                    "{number} {title} was not followed up for {days} days.",
                ),
                *("owner", "manager"),
            )
        ],
        repeat={"days": 14},
    ),
    {
        "id": "stuck-notice",
        "nameZh": "商机在同一阶段停留30天时通知负责人和主管",
        "nameEn": "Owner and manager hear of 30 days in one stage",
        "on": "STAGE_CHANGED",
        "after": {"days": 30},
        "actions": [
            _told(
                "NOTIFY",
                ("商机 {title} 在当前阶段已停留{days}天", "{title} is in its stage for {days} days"),
                ("请检查商机 {number} 的推进计划。", "Please look at what is planned for {number}."),
                *("owner", "manager"),
            )
        ],
    },
    _silent(
        "lost-after-silence",
        "90天无进展自动输单",
        "90 days without progress: lost",
        90,
        [
            {
                "kind": "MARK_LOST",
                "textZh": "连续{after}天无进展，系统自动关闭",
                "textEn": "No progress for {after} days: closed automatically",
            }
        ],
        # What is refused because something else changed is asked for again.
        repeat={"days": 1},
    ),
    {
        "id": "revisit-reminder",
        "nameZh": "回访时间到提醒",
        "nameEn": "It is time to come back",
        "on": "REVISIT_DUE",
        "actions": [
            _told(
                "NOTIFY",
                ("回访时间已到：{title}", "Time to come back: {title}"),
                (
                    "您计划的回访时间已到，请及时联系客户{customer}。",
                    "You planned to get in touch with {customer} again now.",
                ),
                "owner",
            )
        ],
    },
    {
        "id": "contract-expiring",
        "nameZh": "合同到期提醒",
        "nameEn": "A contract expires",
        "on": "CONTRACT_EXPIRING",
        # Who gets such notices by mail, too, is what each person chooses.
        "actions": [
            _told(
                "NOTIFY",
                ("合同 {number} 将在{days}天后到期", "Contract {number} expires in {days} days"),
                (
                    "合同 {number} {title}（客户：{customer}）将在{days}天后到期，请安排续签。",
                    "{number} {title} with {customer} expires in {days} days. Please see to its renewal.",
                ),
                *("owner", "manager", "team"),
            )
        ],
    },
    {
        "id": "payment-overdue",
        "nameZh": "回款逾期预警",
        "nameEn": "A payment is overdue",
        "on": "INSTALMENT_DUE",
        "actions": [
            _told(
                "NOTIFY",
                ("回款逾期：{title}", "Overdue: {title}"),
                (
                    "客户{customer}的回款 {title} 已逾期{days}天，请跟进。",
                    "{title} of {customer} is {days} days overdue. Please follow up.",
                ),
                *("owner", "manager", "roles/finance"),
            )
        ],
    },
    _tier("A", 14),
    _tier("B", 30),
    _tier("C", 90),
]
"""F7 revisit-reminder; F8 important-reminder; F9 important-daily; O25 quote-task; O26 solution-task; O27
solution-template; O28 lost-after-silence; O29 stalled-warning; O30 untouched-notice, stuck-notice; O37 what is
important only; K4 contract-expiring; K6 payment-overdue; C13 tier-*."""
