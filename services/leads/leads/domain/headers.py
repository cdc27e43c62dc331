"""What the columns of a sheet stand for, guessed from their headers in Chinese and English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from leads.domain.imports import ImportKind

_NOISE = re.compile(r"[\s_\-*＊:：/\\.()（）【】\[\]'\"“”]+")
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_CUSTOM_KEY = re.compile(r"[^\w .\-]+")

_CONTACT = {
    "phone": "手机号 手机 手机号码 电话 电话号码 联系电话 联系方式 移动电话 phone mobile tel telephone cell "
    "phonenumber",
    "email": "邮箱 电子邮箱 电子邮件 邮件 email mail emailaddress",
}
_FIRM = {
    "licence": "营业执照号 营业执照 统一社会信用代码 信用代码 税号 licence license creditcode businesslicence taxid",
    "industry": "行业 所属行业 industry sector",
    "region": "地区 区域 大区 省份 省 region area province territory",
    "tags": "标签 tag tags labels",
}
_CHANNEL = "来源 渠道 来源渠道 线索来源 客户来源 source channel leadsource"
_CUSTOMER = {
    "customer": "客户 客户名称 公司 公司名称 企业 企业名称 单位 customer company account companyname customername",
    "customerPhone": "客户电话 客户手机 客户手机号 公司电话 customerphone companyphone",
    "customerLicence": "客户营业执照号 营业执照号 统一社会信用代码 customerlicence licence license",
}
_OWNER = {"owner": "负责人 销售 销售人员 归属人 跟进人 业务员 所有者 owner salesperson rep salesrep salesagent"}

# Field to the headers that mean it, the most usual first.
_KNOWN: Mapping[ImportKind, Mapping[str, str]] = {
    ImportKind.LEADS: {
        "fullName": "姓名 联系人 联系人姓名 客户姓名 线索名称 名字 name fullname contact contactname leadname",
        **_CONTACT,
        "company": "公司 公司名称 企业 企业名称 单位 客户名称 company companyname organisation organization account",
        **_FIRM,
        "category": "业务类别 类别 业务类型 产品类别 意向产品 category product interest",
        "channel": _CHANNEL,
        "intent": "意向度 意向 意向等级 意向级别 intent interestlevel rating",
        "text": "备注 说明 描述 留言 需求 咨询内容 notes note remark remarks comment comments message text description",
        "captureTime": "首次接触时间 首次联系时间 获取时间 留资时间 创建时间 日期 时间 firstcontact firstcontacttime "
        "capturetime createdat created date",
        "skills": "技能 所需技能 skill skills",
    },
    ImportKind.CUSTOMERS: {
        "displayName": "客户名称 客户 公司 公司名称 企业名称 企业 单位 名称 name company companyname customer account "
        "customername displayname",
        **_CONTACT,
        **_FIRM,
        "employees": "人数 规模 公司规模 员工数 员工人数 employees size headcount",
        "channel": _CHANNEL,
        "address": "地址 详细地址 公司地址 address",
        "tier": "等级 客户等级 客户级别 级别 tier grade level",
        "stage": "阶段 客户阶段 stage",
        **_OWNER,
    },
    ImportKind.CONTACTS: {
        **_CUSTOMER,
        "fullName": "姓名 联系人 联系人姓名 名字 name fullname contact contactname",
        "title": "职务 职位 岗位 title position jobtitle",
        **_CONTACT,
        "decisionRole": "决策角色 角色 role decisionrole",
    },
    ImportKind.OPPORTUNITIES: {
        "title": "商机名称 商机 项目名称 项目 标题 名称 title name opportunity deal dealname opportunityid",
        **_CUSTOMER,
        **_CONTACT,
        "amount": "预计金额 金额 商机金额 预计成交金额 报价 amount value expectedamount closevalue dealvalue",
        "currency": "币种 货币 currency",
        "expectedCloseDate": "预计成交日期 预计成交时间 预计签约日期 成交日期 结束日期 expectedclosedate closedate "
        "expectedclose",
        "stage": "阶段 商机阶段 销售阶段 stage dealstage",
        "openTime": "商机创建时间 商机创建日期 opentime opendate engagedate",
        "closeTime": "关闭时间 关闭日期 实际成交日期 closetime closeddate actualclosedate",
        "statusReason": "输单原因 丢单原因 关闭原因 statusreason lostreason",
        "pipeline": "管道 销售流程 pipeline",
        "winProbability": "赢率 成交概率 概率 probability winprobability",
        "need": "需求 需求描述 客户需求 need needs requirement",
        "products": "产品 意向产品 product products",
        "budget": "预算 预算金额 budget",
        "decisionCycle": "决策周期 decisioncycle",
        "blocker": "卡点 主要障碍 障碍 blocker",
        "importance": "重要程度 重要性 importance",
        "position": "职务 职位 position",
        "source": "来源 渠道 source channel",
        "industry": "行业 industry sector",
        "companySize": "公司规模 规模 companysize",
        "followUpStatus": "跟进状态 followupstatus",
        **_OWNER,
    },
    ImportKind.FOLLOW_UPS: {
        "opportunity": "商机编号 商机 商机名称 项目 opportunity deal",
        **_CUSTOMER,
        "leadPhone": "手机号 手机 电话 联系电话 线索电话 phone mobile leadphone",
        "method": "跟进方式 方式 沟通方式 method type",
        "outcome": "结果 跟进结果 outcome result",
        "summary": "跟进内容 内容 摘要 小结 备注 沟通内容 summary notes note content",
        "nextPlan": "下一步 下次计划 后续计划 next nextplan nextstep",
        "nextTime": "下次跟进时间 下次联系时间 回访时间 nexttime nextdate",
        "happenTime": "跟进时间 时间 日期 联系时间 date time happentime",
        **_OWNER,
    },
}
# These take whatever else a sheet holds as own values.
_WITH_CUSTOM = frozenset(ImportKind) - {ImportKind.KIND_UNSPECIFIED, ImportKind.CONTACTS}


def spelled(header: str) -> str:
    """One spelling of a header: no case, no white space, no marks."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", header).casefold())


def fields(kind: ImportKind) -> list[str]:
    """What a column of such a sheet may stand for."""
    return list(_KNOWN[kind])


def header(kind: ImportKind, field: str, language: str) -> str:
    """The most usual header that means this field, in "zh" or "en"."""
    if language == "en":
        return re.sub("[A-Z]", lambda found: f" {found[0].lower()}", field).capitalize()
    return next(word for word in _KNOWN[kind][field].split() if not word.isascii())


def takes(kind: ImportKind, field: str) -> bool:
    """Whether a column may stand for this: a field, "custom.key", or "" to be left out."""
    if field in ("", *_KNOWN[kind]):
        return True
    head, dot, key = field.partition(".")
    if head == "externalIds":
        return kind is ImportKind.CUSTOMERS and bool(key)
    return head == "custom" and bool(dot and key) and kind in _WITH_CUSTOM and own_key(key) == key


def own_key(header: str) -> str:
    """A header as the name of an own value; "" where nothing of it is left."""
    return " ".join(_CUSTOM_KEY.sub(" ", header).split()).lstrip(".- ")[:64].rstrip()


def guess(kind: ImportKind, headers: Sequence[str], chosen: Mapping[str, str]) -> list[str]:
    """What each column stands for: as chosen, else as its header says, else an own value by the header's name. No field
    twice: the header that says it most usually has it."""
    found: list[str | None] = [chosen.get(header) for header in headers]
    taken = {field for field in found if field}
    wanted: list[tuple[int, int, str]] = []
    for index, header in enumerate(headers):
        if found[index] is not None:
            continue
        for field, words in _KNOWN[kind].items():
            rank = _rank(header, field, words)
            if rank is not None and field not in taken:
                wanted.append((rank, index, field))
    for _, index, field in sorted(wanted):
        if found[index] is None and field not in taken:
            found[index] = field
            taken.add(field)
    return [
        field if field is not None else _own(kind, header, taken) for field, header in zip(found, headers, strict=True)
    ]


def _rank(header: str, field: str, words: str) -> int | None:
    """How usually this header means the field, 0 most; None where it does not."""
    known = [spelled(field), *words.split()]
    for spelling in (spelled(header), spelled(_BRACKETS.sub("", header))):
        if spelling in known:
            return known.index(spelling)
    return None


def _own(kind: ImportKind, header: str, taken: set[str]) -> str:
    key = own_key(header)
    field = f"custom.{key}"
    if not key or kind not in _WITH_CUSTOM or header.startswith("column ") or field in taken:
        return ""
    taken.add(field)
    return field
