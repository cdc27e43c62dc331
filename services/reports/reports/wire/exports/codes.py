"""What the codes that figures are grouped by are called on paper; what people typed stands as they typed it."""

from __future__ import annotations

from collections.abc import Mapping

# By dimension: in Chinese and in English.
_CODES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    # Where leads come from, and how people are followed up.
    "channel": {
        "WEB_FORM": ("网页表单", "Web form"),
        "TRADE_SHOW": ("展会", "Trade show"),
        "DOUYIN": ("抖音", "Douyin"),
        "WECHAT": ("微信", "WeChat"),
        "PHONE_400": ("400 电话", "400 phone line"),
        "REFERRAL": ("转介绍", "Referral"),
        "IMPORT": ("导入", "Import"),
        "API": ("接口", "API"),
        "CALL": ("电话", "Call"),
        "VISIT": ("拜访", "Visit"),
        "MAIL": ("邮件", "Mail"),
        "MESSAGE": ("消息", "Message"),
        "MEETING": ("会议", "Meeting"),
        "OTHER": ("其他", "Other"),
    },
    "detail": {
        # How soon.
        "1h": ("1 小时内", "Within 1 hour"),
        "2h": ("2 小时内", "Within 2 hours"),
        "4h": ("4 小时内", "Within 4 hours"),
        "24h": ("24 小时内", "Within 24 hours"),
        "later": ("24 小时以上", "Later"),
        # How leads stand, and how they came to their owners.
        "WAITING": ("待分配", "Waiting"),
        "UNASSIGNED": ("无人可接", "Unassigned"),
        "ASSIGNED": ("已分配", "Assigned"),
        "CONTACTED": ("已联系", "Contacted"),
        "RULES": ("规则分配", "By the rules"),
        "CLAIM": ("公海领取", "Claimed"),
        "MANUAL": ("人工指派", "By hand"),
        # How opportunities stand, and depart from the process.
        "OPEN": ("进行中", "Open"),
        "ON_HOLD": ("搁置", "On hold"),
        "AWAITING_CONFIRMATION": ("待确认", "To be confirmed"),
        "FORCED": ("强制推进", "Forced"),
        "SKIPPED": ("跳过阶段", "Skipped a stage"),
        "BACK": ("回退", "Went back"),
        # Follow-ups and tasks.
        "PAID": ("已付款", "Paid"),
        "REVISIT": ("需回访", "To be seen again"),
        "REFUSED": ("已拒绝", "Refused"),
        "REFERRAL": ("转介绍", "Referral"),
        "NOT_REACHED": ("未接通", "Not reached"),
        "PROGRESS": ("有进展", "Progress"),
        "ON_TIME": ("按时", "In time"),
        "LATE": ("逾期", "Late"),
        "TODO": ("待办", "To do"),
        "COLLABORATION": ("协作", "Collaboration"),
        "TICKET": ("工单", "Ticket"),
        # How contracts are paid.
        "ONE_OFF": ("一次性", "One-off"),
        "INSTALMENTS": ("分期", "Instalments"),
        "SUBSCRIPTION": ("订阅", "Subscription"),
        "MILESTONE": ("按里程碑", "By milestones"),
        # What has no value.
        "NAME": ("缺姓名", "No name"),
        "PHONE": ("缺电话", "No phone"),
        "COMPANY": ("缺公司", "No company"),
        "CHANNEL": ("缺渠道", "No channel"),
        "INDUSTRY": ("缺行业", "No industry"),
        "SIZE": ("缺规模", "No size"),
        "CUSTOMER": ("缺客户", "No customer"),
        "AMOUNT": ("缺金额", "No amount"),
        "CLOSE_DATE": ("缺预计成交日期", "No expected close"),
        "SOURCE": ("缺来源", "No source"),
    },
    # Customers'; those of opportunities have names of their own.
    "stage": {
        "LEAD": ("线索", "Lead"),
        "INTENT": ("意向", "Intent"),
        "QUOTED": ("已报价", "Quoted"),
        "WON": ("已成交", "Won"),
    },
    "reason": {
        "INACTIVE": ("长期未跟进", "Not followed up"),
        "RELEASED": ("主动退回", "Given back"),
    },
}


def called(dimension: str, code: str, chinese: bool) -> str:
    """Itself where it is no code; of "PHONE+COMPANY", each."""
    codes, parts = _CODES.get(dimension, {}), code.split("+")
    if not all(one in codes for one in parts):
        return code
    return ("、" if chinese else ", ").join(codes[one][0 if chinese else 1] for one in parts)
