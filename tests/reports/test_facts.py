"""What is said of facts is what records post."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from reports.domain.facts import FACTS
from reports.domain.posting import DIMENSIONS
from reports.storage.tables import postings
from tests.reports.deals import Deal
from tests.reports.desk import Desk
from tests.reports.leads import Lead, stamp
from tests.reports.people import check_in, contract, customer, follow_up, task

WHEN, LATER = "2026-11-02T10:00", "2026-11-03T10:00"


def _lead(id: str) -> Lead:
    return Lead(f"leads/{id}", WHEN, without=("phone",)).assign("people/li", LATER)


def _deal(id: str) -> Deal:
    of = {"source": "展会", "customer": "customers/a", "products": ["products/x"], "lead": "leads/a"}
    return Deal(f"opportunities/{id}", WHEN, 1000, fields={**of, "industry": "教育"})


def _story(desk: Desk) -> None:
    leads = [
        _lead("a").contact("2026-11-04T10:00").correct(LATER, "华东", industry="教育").qualify("2026-11-04T11:00"),
        _lead("b").correct(LATER, "华东", industry="教育").disqualify(LATER),
        _lead("c").correct(LATER, "华东", industry="教育").release(LATER),
        _lead("d").correct(LATER, "华东", industry="教育"),
    ]
    deals = [
        _deal("a").touch(LATER).move("proposal", LATER).win("2026-11-12T10:00"),
        _deal("b").move("need", LATER).lose("2026-11-12T10:00"),
        _deal("c").move("need", LATER),
    ]
    of: dict[str, Any] = {"channel": "WECHAT", "region": "华东", "industry": "教育", "tier": "A", "stage": "WON"}
    desk.hear(
        *(told for lead in leads for told in lead.told),
        customer("customers/a", WHEN, **of),
        *(told for deal in deals for told in deal.told),
        follow_up("followUps/9", LATER, customer="customers/a", method="CALL", outcome="PROGRESS",
                  create_time=stamp("2026-11-04T10:00")),
        check_in("checkIns/1", LATER, customer="customers/a"),
        task("tasks/a", due=LATER, done=LATER, customer="customers/a"),
        task("tasks/b", due=LATER, customer="customers/a"),
        contract("contracts/a", "customers/a", "2026-11-02", 9, owner="people/li", finance_mode="ONE_OFF",
                 expiry_date="2027-11-02"),
    )  # fmt: skip


def test_B11_every_dimension_that_a_fact_has_and_no_other_is_in_what_it_posts(desk: Desk) -> None:
    _story(desk)
    with desk.runtime.reading() as tx:
        rows = [row._mapping for row in tx.execute(sa.select(postings).where(postings.c["count"] > 0))]
    told = {row["fact"] for row in rows}
    quiet = {id for id in FACTS if id.startswith(("usage.", "cost.", "payment.", "instalment.", "invoice."))}
    assert FACTS.keys() - told == quiet
    wrong = []
    for id in sorted(told):
        mine = [row for row in rows if row["fact"] == id]
        has = {name for name in (*DIMENSIONS, "amount", "seconds") if any(row[name] for row in mine)}
        said = {*FACTS[id].fields}
        # The latest day of what counts once is marked by its amount, which is nobody's money.
        has -= {"amount"} if FACTS[id].once else set()
        # What came of a source is told by fewer than all that it is of.
        wrong += [f"{id} posts no {name}" for name in said - has]
        wrong += [f"{id} posts {name}" for name in has - said if "of_lead" not in id]
    assert wrong == ["lead.pooled posts no owner"], "what is in the pool is nobody's, and counts for nobody"
