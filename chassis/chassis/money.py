"""Money: a decimal with a currency, stored as a whole number of ten-thousandths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

UNITS = 10_000
"""Of the stored number in one of the currency."""
LARGEST = Decimal(10**12)
_ACTIVE = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
    CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR
    LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
    PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR
    ZMW ZWG
"""
CURRENCIES = frozenset(_ACTIVE.split())
"""What people pay with: the active codes of ISO 4217 (list one of SIX, as of January 2026), without metals, units of
account and codes for tests."""


@dataclass(frozen=True, slots=True)
class Money:
    """`currency` is one of CURRENCIES; `amount` has at most four decimals."""

    amount: Decimal
    currency: str

    @property
    def units(self) -> int:
        """The amount in ten-thousandths. Raises ValueError for one that is finer."""
        units = self.amount * UNITS
        if units != units.to_integral_value():
            raise ValueError(f"more than four decimals: {self.amount}")
        return int(units)


def of_units(units: int | None, currency: str) -> Money | None:
    """What was stored; None where there is none."""
    return None if units is None else Money(Decimal(units) / UNITS, currency)


# Decimals of the smallest coin, where they are not two (ISO 4217).
_COINS: Mapping[str, int] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def coins(currency: str) -> int:
    """How many decimals amounts of a currency have."""
    return _COINS.get(currency, 2)


# Amounts, prices and quantities have at most 16 digits, rates 40: nothing is lost before it is rounded.
EXACT = Context(prec=80)


def coin(currency: str) -> Decimal:
    """The smallest amount that can be paid."""
    return Decimal(1).scaleb(-coins(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the smallest coin of the currency, half up."""
    return amount.quantize(coin(currency), ROUND_HALF_UP, EXACT)


def written(amount: Decimal, currency: str) -> str:
    """As people read it, "1,234.50": with the decimals of its currency, and up to four where it has more."""
    whole, _, rest = f"{amount:,.4f}".partition(".")
    rest = rest.rstrip("0").ljust(coins(currency), "0")
    return (f"{whole}.{rest}" if rest else whole).replace("-", "−")


def turned(rate: Decimal) -> Decimal:
    """An exchange rate the other way round, to forty digits."""
    return Context(prec=40).divide(Decimal(1), rate)


def later(straight: tuple[str, str] | None, back: tuple[str, str] | None) -> tuple[Decimal, str] | None:
    """The newer of two exchange rates, (decimal text, day), of which the second is known the other way round; the first
    where both are of one day. None where there is neither."""
    if back and (straight is None or back[1] > straight[1]):
        return turned(Decimal(back[0])), back[1]
    return (Decimal(straight[0]), straight[1]) if straight else None


def exchanged(amount: Money, rate: Decimal, currency: str) -> Money:
    """An amount in another currency, rounded half up to its smallest coin."""
    with localcontext(EXACT):
        return Money(rounded(amount.amount * rate, currency), currency)
