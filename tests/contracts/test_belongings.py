"""What contracts keeps of others' records, for whoever is about to take one away."""

from __future__ import annotations

from dealwright.api.v1 import belongings_pb2
from tests.contracts.desk import ADMIN, CONTACT, CUSTOMER, OPPORTUNITY, Desk
from tests.contracts.quoting import quote


def test_I3_a_quote_hangs_on_its_opportunity_its_customer_and_its_contact(desk: Desk) -> None:
    desk.deal()
    other = f"customers/{99:032x}"

    def hanging() -> dict[str, list[str]]:
        request = belongings_pb2.FindBelongingsRequest(names=[OPPORTUNITY, CUSTOMER, CONTACT, other])
        return {one.name: list(one.kinds) for one in desk.call("FindBelongings", request, ADMIN).found}

    assert hanging() == {}
    made = quote(desk)
    wanted = {made.opportunity: ["quotes"], made.customer: ["quotes"], made.contact: ["quotes"]}
    assert set(wanted) == {OPPORTUNITY, CUSTOMER, CONTACT}
    assert hanging() == wanted
