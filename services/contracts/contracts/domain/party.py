"""What deals know of customers, contacts and opportunities."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.money import Money, of_units


@dataclass(frozen=True, slots=True)
class Party:
    """What deals need to know of a customer, a contact or an opportunity, in the order of the columns.

    `title` is the display name of a customer, the full name of a contact, the title of an opportunity; `customer` and
    `contact` are an opportunity's, `customer` a contact's, too, and of a customer the one that it was merged into;
    `number`, `amount` (ten-thousandths of `currency`, or None), `products` (names, as people wrote them), `open` (or
    won) and `lost` are an opportunity's; `tier` ("A", "B", "C" or empty), `region`, `address` and `shared` (its team
    sees it, too) a customer's; `phone` and `email` a customer's and a contact's.
    """

    name: str
    version: int
    deleted: bool
    title: str
    owner: str = ""
    team: str = ""
    customer: str = ""
    contact: str = ""
    number: str = ""
    amount: int | None = None
    currency: str = ""
    products: tuple[str, ...] | list[str] = ()
    open: bool = True
    lost: bool = False
    tier: str = ""
    region: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    shared: bool = False

    @property
    def merged(self) -> bool:
        return bool(self.customer) and self.name.startswith("customers/")

    @property
    def is_over(self) -> bool:
        return self.deleted or self.lost

    @property
    def expected(self) -> Money | None:
        return of_units(self.amount, self.currency)
