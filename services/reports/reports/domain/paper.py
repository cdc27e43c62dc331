"""What is known of a contract, an instalment, an invoice or a payment, and what it adds to the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from reports.domain import rate
from reports.domain.folding import Folding, News, Part, newer
from reports.domain.posting import Posting, lent, replace


@dataclass(frozen=True, slots=True)
class Paper:
    """`version` is of the newest state. `time` is its day: signed, due, issued or paid (0: none); `end_time` when a
    contract ends. `amount` and `paid` in ten-thousandths of `currency`. `counts`: it is in force (a contract that was
    signed and is not void, an instalment that is not cancelled, an invoice that is not void). `abroad` is the day by
    whose `rate` a contract comes to the company's currency, "" where it needs none. `region` and `industry` are its
    customer's, who is `customer_holder`'s. `first` is the earliest version known that is in force (0: none),
    `began_with` whose it was then. `contract` is that of an instalment, and `in_force` whether that is: what is planned
    in one that nobody signed, or that was deleted, nobody owes."""

    version: int = 0
    deleted: bool = False
    owner: str = ""
    customer: str = ""
    time: int = 0
    end_time: int = 0
    amount: int = 0
    paid: int = 0
    currency: str = ""
    counts: bool = False
    detail: str = ""
    opportunity: str = ""
    abroad: str = ""
    rate: str = ""
    region: str = ""
    industry: str = ""
    customer_holder: str = ""
    first: int = 0
    began_with: str = ""
    contract: str = ""
    in_force: bool = False


_LEARNT = ("rate", "region", "industry", "customer_holder", "first", "began_with", "in_force")
"""What its own state does not say."""
_STATE = tuple(part.name for part in fields(Paper) if part.name not in _LEARNT)


def fold(paper: Paper, news: News) -> Paper:
    """What is known with this as well."""
    values = news.values
    if news.what == "state":
        if values["counts"] and not 0 < paper.first <= values["version"]:
            paper = replace(paper, first=values["version"], began_with=values["owner"])
        if not newer(values, paper):
            return paper
        same = (values["abroad"], values["currency"]) == (paper.abroad, paper.currency)
        return replace(paper, **{name: values[name] for name in _STATE}, rate=paper.rate if same else "")
    if news.what == "customer":
        its = {"region": values["region"], "industry": values["industry"], "customer_holder": values["holder"]}
        return replace(paper, **its)
    if news.what == "contract":
        return replace(paper, in_force=bool(values["in_force"]))
    if news.what == "rate":
        return replace(paper, rate=rate.on(values, paper.abroad) if paper.abroad else "")
    raise ValueError(news.what)


def _bare(paper: Paper, amount: int) -> Posting:
    return Posting(
        "",
        paper.time,
        amount=amount,
        currency=paper.currency if amount else "",
        holder=paper.owner,
        owner=paper.owner,
        customer=paper.customer,
        region=paper.region,
        industry=paper.industry,
        detail=paper.detail,
    )


def contract(paper: Paper) -> list[Posting]:
    """It was signed, by whoever had it then, and when it ends."""
    one = _bare(paper, paper.amount)
    found = [replace(one, fact="contract.signed", owner=paper.began_with or paper.owner)]
    if paper.end_time:
        found.append(replace(one, fact="contract.expiring", happen_time=paper.end_time, detail=""))
    return found


def instalment(paper: Paper) -> list[Posting]:
    """What is due, and what of it is left."""
    if not paper.in_force:
        return []
    found = [replace(_bare(paper, paper.amount), fact="instalment.planned")]
    if paper.amount > paper.paid:
        found.append(replace(_bare(paper, paper.amount - paper.paid), fact="instalment.due"))
    return found


def invoice(paper: Paper) -> list[Posting]:
    return [replace(_bare(paper, paper.amount), fact="invoice.issued")]


def payment(paper: Paper) -> list[Posting]:
    """Received; one of an amount below zero was paid back."""
    if paper.amount < 0:
        return [replace(_bare(paper, -paper.amount), fact="payment.refunded")]
    return [replace(_bare(paper, paper.amount), fact="payment.received")]


def _plain(paper: Paper) -> list[Any]:
    return [getattr(paper, part.name) for part in _FIELDS]


_FIELDS = fields(Paper)


def _read(plain: list[Any]) -> Paper:
    return Paper(*plain)


def _bought(name: str, paper: Paper) -> Sequence[Part]:
    """A contract in force is a purchase of its customer's."""
    if not (paper.customer and paper.time and paper.counts) or paper.deleted:
        return ()
    worth = rate.worth(paper.amount, paper.abroad, paper.rate)
    return [(paper.customer, ("contract", name, paper.owner, paper.time, worth, paper.opportunity))]


def _tells(paper: Paper) -> Mapping[str, Any]:
    """What the instalments of a contract want to know of it."""
    return {"in_force": bool(paper.version) and paper.counts and not paper.deleted}


def _links(paper: Paper) -> tuple[str, str, str]:
    return paper.customer, paper.contract, rate.link(paper.currency, paper.abroad)


def _holder(paper: Paper) -> str:
    return paper.owner


def _folding(
    postings: Callable[[Paper], list[Posting]],
    parts: Callable[[str, Paper], Sequence[Part]] = lambda name, paper: (),
    tells: Callable[[Paper], Mapping[str, Any]] = lambda paper: {},
) -> Folding:
    def posted(paper: Paper) -> list[Posting]:
        if not (paper.version and paper.time and paper.counts) or paper.deleted:
            return []
        known = postings(paper)
        alone = [replace(one, region="", industry="") for one in known]
        return lent(known, alone, "customer_holder", paper.customer_holder)

    return Folding(Paper(), fold, posted, _plain, _read, _links, tells, parts, _holder)


FOLDINGS: Mapping[str, Folding] = {
    "contracts": _folding(contract, _bought, _tells),
    "instalments": _folding(instalment),
    "invoices": _folding(invoice),
    "payments": _folding(payment),
}
