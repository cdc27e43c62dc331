"""Records in which fields have no value that they should have."""

from __future__ import annotations

from collections.abc import Mapping

from reports.domain.facts.deals import OF_OTHERS
from reports.domain.facts.fact import Fact

_WHO = {"owner": "owner", "channel": "channel", "region": "region", "industry": "industry"}


def _incomplete(
    id: str, resource: str, titles: tuple[str, str], moment: str, should: str, of: Mapping[str, str] = _WHO
) -> Fact:
    """`should` are the fields that it should have. Its amount, of no currency, is how many lack, its detail which."""
    fields = {**of, "amount": should, "detail": should}
    return Fact(f"{id}.incomplete", resource, *titles, fields, moment=moment, defined=should, amounts_to="count")


FACTS: tuple[Fact, ...] = (
    _incomplete("lead", "leads", ("leads captured without name, phone, company or channel; their amount is how many",
                                  "资料不全的线索（姓名、电话、公司、渠道；金额为缺失项数）"),
                "capture_time", "full_name phone company channel"),
    _incomplete("customer", "customers",
                ("customers made without phone, channel, industry or size; their amount is how many",
                 "资料不全的客户（电话、渠道、行业、规模；金额为缺失项数）"),
                "create_time", "phone channel industry employees"),
    _incomplete("deal", "opportunities",
                ("opportunities opened without customer, amount, expected close or source; their amount is how many",
                 "资料不全的商机（客户、金额、预计成交日期、来源；金额为缺失项数）"),
                "open_time create_time", "customer amount expected_close_date source lead",
                {**OF_OTHERS, "owner": "owner", "customer": "customer", "product": "products", "pipeline": "pipeline"}),
)  # fmt: skip
