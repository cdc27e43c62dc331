"""What a quote comes to: exact decimals, rounded half up to the smallest coin of the currency where they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from chassis.money import EXACT, coin, rounded

HUNDRED = Decimal(100)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Priced:
    """What of a line counts. Percents from 0 to 100; `list_price` is None where there is none but the price itself."""

    quantity: Decimal
    unit_price: Decimal
    discount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    list_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """`lines` is each line after its own discount; `subtotal` their sum; `net` what is left of it after the discount on
    the whole, `tax` what comes on top. `shares` is each line's part of `net`, `taxes` of `tax`. `list_total` is what it
    would be at list prices, `discount` how many percent of that were given away: from 0 to 100, four decimals."""

    lines: tuple[Decimal, ...]
    shares: tuple[Decimal, ...]
    taxes: tuple[Decimal, ...]
    list_total: Decimal
    subtotal: Decimal
    net: Decimal
    tax: Decimal
    total: Decimal
    discount: Decimal


def totals(lines: Sequence[Priced], discount: Decimal, currency: str) -> Totals:
    """`discount` is percent off the whole. A price below the list's is a discount, too; one above it makes up for none.

    How much was given away is told from amounts that were not rounded: 15 % of 9.99 is no more than 15 %.
    """
    with localcontext(EXACT):
        whole = (HUNDRED - discount) / HUNDRED
        listed = [one.quantity * _list_price(one) for one in lines]
        exact = [one.quantity * one.unit_price * (HUNDRED - one.discount) / HUNDRED for one in lines]
        amounts = [rounded(amount, currency) for amount in exact]
        subtotal = sum(amounts, _NOTHING)
        net = rounded(subtotal * whole, currency)
        shares = _shared(net, amounts, currency)
        taxes = [rounded(share * one.tax / HUNDRED, currency) for share, one in zip(shares, lines, strict=True)]
        return Totals(
            lines=tuple(amounts),
            shares=tuple(shares),
            taxes=tuple(taxes),
            list_total=sum((rounded(amount, currency) for amount in listed), _NOTHING),
            subtotal=subtotal,
            net=net,
            tax=sum(taxes, _NOTHING),
            total=net + sum(taxes, _NOTHING),
            discount=_given(sum(listed, _NOTHING), sum(exact, _NOTHING) * whole),
        )


def _list_price(line: Priced) -> Decimal:
    return line.unit_price if line.list_price is None else max(line.list_price, line.unit_price)


def _given(listed: Decimal, net: Decimal) -> Decimal:
    """Rounded up: what is above a limit by any amount is shown above it."""
    if not listed:
        return _NOTHING
    return ((listed - net) * HUNDRED / listed).quantize(Decimal("0.0001"), ROUND_CEILING)


def _shared(whole: Decimal, amounts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The whole by the size of the amounts, to the smallest coin: what rounding down leaves goes to those that lost
    most by it."""
    sum_of_all = sum(amounts, _NOTHING)
    if not sum_of_all:
        return [_NOTHING] * len(amounts)
    step = coin(currency)
    exact = [whole * amount / sum_of_all for amount in amounts]
    shares = [one.quantize(step, ROUND_FLOOR) for one in exact]
    left = int((whole - sum(shares, _NOTHING)) / step)
    for index in sorted(range(len(amounts)), key=lambda i: (shares[i] - exact[i], i))[:left]:
        shares[index] += step
    return shares
