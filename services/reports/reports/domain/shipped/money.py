"""Contracts and money: what was signed, received, is overdue and is to come (B14, B26, K12)."""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made

_WHO = ("owner", "customer", "region", "industry")


def _money(
    id: str,
    titles: tuple[str, str],
    fact: str,
    *,
    span: int = kpi.PERIOD,
    said: tuple[str, str] = ("", ""),
    more: tuple[str, ...] = (),
    lower: bool = False,
) -> Kpi:
    measure = Measure("amount", fact, kpi.AMOUNT, span=span)
    return made(id, titles, kpi.MONEY, (measure,), "amount", (*_WHO, *more), lower=lower, said=said)


KPIS: tuple[Kpi, ...] = (
    made("contracts-signed", ("Contracts signed", "签约合同数"), kpi.COUNTS, (Measure("signed", "contract.signed"),),
         "signed", (*_WHO, "detail")),
    _money("signed-amount", ("Amount signed", "签约金额"), "contract.signed", more=("detail",)),
    made("payments-received", ("Payments received", "回款金额"), kpi.MONEY,
         (Measure("received", "payment.received", kpi.AMOUNT), Measure("refunded", "payment.refunded", kpi.AMOUNT)),
         "received - refunded", (*_WHO, "detail"),
         said=("What came in, less what was paid back: the base of commissions.", "收款减退款，提成计算基数。")),
    _money("invoiced-amount", ("Amount invoiced", "开票金额"), "invoice.issued"),
    _money("outstanding-amount", ("Outstanding", "未收金额"), "instalment.due", span=kpi.STOCK, lower=True),
    _money("overdue-amount", ("Overdue", "逾期金额"), "instalment.due", span=kpi.OLDER, lower=True,
           said=("What was due before today and is not paid.", "今天之前到期而未收的金额。")),
    _money("payments-expected", ("Payments expected", "预计回款"), "instalment.due",
           said=("What is left of the instalments that are due in the period.", "期内到期分期的未收金额。")),
    made("collection-rate", ("Collection rate", "回款率"), kpi.RATIO,
         (Measure("planned", "instalment.planned", kpi.AMOUNT), Measure("left", "instalment.due", kpi.AMOUNT)),
         "(planned - left) / planned", _WHO,
         said=("Of the instalments that are due in the period, what was paid.", "期内到期分期的已收比例。")),
)  # fmt: skip
