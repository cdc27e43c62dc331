"""The default flow of quotes asks different people, and looks at lines beside the price list.

Whoever saved any setting has the default flows of that time among his own: the one for quotes, where nobody changed
it, becomes the present one. One that was changed is the company's own, and stays.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from chassis.database import Json

revision = "contracts_0011"
down_revision = "contracts_0010"
branch_labels = None
depends_on = None

settings = sa.table(
    "settings", sa.column("id", sa.Text), sa.column("content", Json), sa.column("version", sa.BigInteger)
)


def _step(id: str, zh: str, en: str, group: str, **more: str) -> dict[str, Any]:
    asked = {"approvers": [f"group:{group}"], "mode": "ALL", "timeoutHours": 8.0, "onTimeout": "REMIND"}
    return {"id": id, "displayName": {"zh": zh, "en": en}, "kind": "APPROVE", **more, **asked}


def _flow(when: str, distinct: bool) -> dict[str, Any]:
    return {
        "displayName": {"zh": "报价审批", "en": "Quote approval"},
        "for": "quote",
        "when": "",
        "order": 0,
        "enabled": True,
        "askOnce": True,
        "distinctPeople": distinct,
        "nodes": [
            _step("director", "销售总监审批", "Sales director", "director"),
            _step("finance-director", "财务总监审批", "Finance director", "finance-director", when=when),
        ],
    }


BEFORE = _flow("discount > 15.0", distinct=False)
AFTER = _flow(
    "discount > 15.0 || (unlisted_percent > 15.0 && size(fields.listed_products) > 0)",
    distinct=True,
)


def upgrade() -> None:
    run(op.get_bind())


def run(at: sa.Connection) -> None:
    for id, content, version in at.execute(sa.select(settings)).all():
        flows = content.get("approvalFlows", {})
        quote = flows.get("quote")
        if quote is not None and {"distinctPeople": False, **quote} == BEFORE:
            anew = {**content, "approvalFlows": {**flows, "quote": AFTER}}
            at.execute(sa.update(settings).where(settings.c.id == id).values(content=anew, version=version + 1))
