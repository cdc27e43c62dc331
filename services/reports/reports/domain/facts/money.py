"""What contracts, their instalments, invoices and payments post."""

from __future__ import annotations

from collections.abc import Mapping

from reports.domain.facts.fact import Fact

_OF_ANY: Mapping[str, str] = {
    "amount": "amount",
    "owner": "owner",
    "customer": "customer",
    "region": "customer customers.region",
    "industry": "customer customers.industry",
}
_METHOD = {**_OF_ANY, "detail": "method"}
_LEFT = {**_OF_ANY, "amount": "amount paid"}

FACTS: tuple[Fact, ...] = (
    Fact("contract.signed", "contracts", "contracts signed", "签订合同", {**_OF_ANY, "detail": "finance_mode"},
         moment="sign_date", defined="status"),
    Fact("contract.expiring", "contracts", "contracts in force, by when they end", "执行中合同（按到期日）", _OF_ANY,
         True, moment="expiry_date", defined="status expiry_date"),
    # Which of the two it is, is told by whether the amount is above zero.
    Fact("payment.received", "payments", "payments received", "回款", _METHOD, moment="pay_date", defined="amount"),
    Fact("payment.refunded", "payments", "payments paid back", "退款", _METHOD, moment="pay_date", defined="amount"),
    Fact("instalment.planned", "instalments", "instalments, by when they are due", "应收分期（按到期日）", _OF_ANY,
         moment="due_date", defined="status contract contracts.status"),
    Fact("instalment.due", "instalments", "what is left of instalments, by when it is due", "未收分期（按到期日）",
         _LEFT, True, moment="due_date", defined="status amount paid contract contracts.status"),
    Fact("invoice.issued", "invoices", "invoices issued", "已开发票", _OF_ANY, moment="issue_date",
         defined="void_time"),
)  # fmt: skip
