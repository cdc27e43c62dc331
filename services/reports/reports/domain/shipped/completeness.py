"""How complete records are: of the fields that each should have, those that have a value (X2, I8).

A lead should have a name, a phone number, a company and the channel that it came by; a customer a phone number, the
channel, an industry and its size; an opportunity a customer, an amount, the day on which it is expected to close, and
a source or a lead.
"""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made

EACH = 4
"""So many fields each kind should have."""
_WHO = ("owner", "channel", "region", "industry")


def _of(kind: str, made_of: str) -> tuple[Measure, Measure]:
    """How many records there are, and how many fields of theirs have no value."""
    return Measure(kind, made_of), Measure(f"{kind}_blanks", f"{made_of.partition('.')[0]}.incomplete", kpi.AMOUNT)


_LEADS = _of("leads", "lead.captured")
_CUSTOMERS = _of("customers", "customer.created")
_DEALS = _of("opportunities", "deal.opened")


def _share(id: str, titles: tuple[str, str], said: tuple[str, str], *kinds: tuple[Measure, Measure]) -> Kpi:
    all_of_it = " + ".join(records.id for records, _ in kinds)
    blanks = " + ".join(blank.id for _, blank in kinds)
    measures = tuple(one for kind in kinds for one in kind)
    return made(
        id, titles, kpi.RATIO, measures, f"1 - ({blanks}) / ({EACH} * ({all_of_it}))", _WHO, said=said
    )  # fmt: skip


def _incomplete(kind: str, fact: str, titles: tuple[str, str]) -> Kpi:
    return made(f"{kind}-incomplete", titles, kpi.COUNTS, (Measure("incomplete", fact),), "incomplete",
                ("detail", *_WHO), lower=True,
                said=("By what has no value (detail).", "可按缺失字段（明细）查看。"))  # fmt: skip


_OF_LEADS = ("Name, phone, company, channel", "姓名、电话、公司、渠道")
_OF_CUSTOMERS = ("Phone, channel, industry, size", "电话、渠道、行业、规模")
_OF_DEALS = ("Customer, amount, expected close, source", "客户、金额、预计成交日期、来源")


def _made_in(fields: tuple[str, str]) -> tuple[str, str]:
    return (
        f"{fields[0]}: of those made in the period, the share that has a value.",
        f"期内新增记录中{fields[1]}的填写率。",
    )


KPIS: tuple[Kpi, ...] = (
    _share("data-completeness", ("Data completeness", "数据完整率"),
           ("Of the fields that the leads, customers and opportunities made in the period should have, those that have "
            "a value, each field counting once. Accepted from 95 % on.",
            "期内新增线索、客户、商机的必备字段填写率，每个字段权重相同。验收标准不低于 95%。"),
           _LEADS, _CUSTOMERS, _DEALS),
    _share("lead-completeness", ("Completeness of leads", "线索完整率"), _made_in(_OF_LEADS), _LEADS),
    _share("customer-completeness", ("Completeness of customers", "客户完整率"), _made_in(_OF_CUSTOMERS), _CUSTOMERS),
    _share("opportunity-completeness", ("Completeness of opportunities", "商机完整率"), _made_in(_OF_DEALS), _DEALS),
    _incomplete("leads", "lead.incomplete", ("Incomplete leads", "资料不全的线索")),
    _incomplete("customers", "customer.incomplete", ("Incomplete customers", "资料不全的客户")),
    _incomplete("opportunities", "deal.incomplete", ("Incomplete opportunities", "资料不全的商机")),
)  # fmt: skip
