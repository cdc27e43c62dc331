"""Whose quotes and contracts are: they go with their opportunity, and a manager gives a single contract away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chassis import people, records
from chassis.errors import Denied, Stale
from chassis.transaction import Transaction
from contracts.domain.approval import EndReason
from contracts.domain.contract import Contract
from contracts.domain.party import Party
from contracts.storage import bills, parties
from contracts.storage import contracts as stored
from contracts.storage.tables import people as people_table
from contracts.usecases import approvals, quotes
from contracts.usecases.contract_kinds import CONTRACT, INSTALMENT, may_lead, team_of_owner


def follow(tx: Transaction, told: Sequence[Party], collaborators: Mapping[str, Sequence[str]]) -> None:
    """Keeps what was told of opportunities. Nobody is asked any more about those that are over. Quotes are whoever's
    the opportunity is; of the contracts those go along that its owner had: what was given to others stays theirs."""
    had = {name: of.owner for name, of in parties.find_all(tx, [one.name for one in told]).items()}
    news = parties.know(tx, told)
    parties.set_collaborators(tx, {name: collaborators[name] for name in news})
    over = {name: of for name, of in parties.told_of(tx, news).items() if of.is_over}
    approvals.end_with(
        tx, {name: EndReason.DEAL_DELETED if of.deleted else EndReason.DEAL_LOST for name, of in over.items()}
    )
    quotes.follow_owners(tx, news)
    given = {name: of for name, of in parties.find_all(tx, news).items() if had.get(name) not in (None, "", of.owner)}
    names = stored.names_of_opportunities(tx, list(given))
    for _, of in sorted(records.of_names(tx, CONTRACT, names, lock=True).items()):
        deal = given[of.opportunity]
        if of.owner == had[deal.name]:
            _give(tx, of, deal.owner, deal.team, "")


def go_along(tx: Transaction, customers: Sequence[str], leaver: str, owner: str) -> None:
    """A leaver's customer, who goes by these names, is another's: so are the contracts that the leaver had with it,
    but those that will go with a deal of his. Raises Stale where we have not heard of the new owner yet."""
    names = stored.names_of_owner(tx, customers, leaver)
    held = records.of_names(tx, CONTRACT, names, lock=True)
    deals = parties.find_all(tx, [of.opportunity for of in held.values()])
    his = {name for name, deal in deals.items() if deal.owner == leaver}
    person = people.find(tx, people_table, owner)
    if held and person is None:
        raise Stale(owner)
    for _, of in sorted(held.items()):
        if person is not None and of.owner == leaver and of.opportunity not in his:
            _give(tx, of, person.name, person.team, "")


def transfer(tx: Transaction, name: str, etag: str, owner: str, reason: str) -> Contract:
    """By hand. Raises Denied for who does not lead, or not that person, Invalid for who is not known or has left."""
    before = records.hold(tx, CONTRACT, name, etag)
    if not may_lead(tx.principal):
        raise Denied("contracts.lead")
    team = team_of_owner(tx, owner, "owner")
    return before if owner == before.owner else _give(tx, before, owner, team, reason)


def _give(tx: Transaction, of: Contract, owner: str, team: str, reason: str) -> Contract:
    saved = records.save(tx, CONTRACT, of, replace(of, owner=owner, team=team), "transferred")
    plan = bills.plan_of(tx, INSTALMENT, of.name)
    records.save_all(tx, INSTALMENT, [(one, replace(one, owner=owner)) for one in plan], "transferred")
    tx.audit("contract.owner", of.name, {"from": of.owner, "to": owner, "because": bool(reason)})
    return saved
