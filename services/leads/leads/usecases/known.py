"""By which phones and e-mails a lead is known. A deleted lead keeps its keys until somebody comes with one of them: so
it is found by them, comes back with them, and captures of others cost nothing more."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.transaction import Transaction
from leads.domain.lead import Lead
from leads.storage import leads as stored


def standing(held: dict[str, Lead], names: Iterable[str]) -> set[str]:
    """Those of the names that are leads, and not deleted ones."""
    return {name for name in names if name in held and not held[name].deleted}


def take(tx: Transaction, keys: Iterable[str], lead: str) -> dict[str, str]:
    """Makes the lead known by these keys. Returns those that another has, with that one."""
    wanted = dict.fromkeys(keys, lead)
    others = {key: name for key, name in stored.take_keys(tx, wanted).items() if name != lead}
    held = stored.by_name(tx, others.values(), lock=True)
    free = {key for key, name in others.items() if not standing(held, [name])}
    if free:
        stored.drop_keys(tx, free, set(others.values()) - standing(held, held))
        faster = stored.take_keys(tx, dict.fromkeys(free, lead))
        others = {key: name for key, name in {**others, **faster}.items() if key not in free or key in faster}
    return others
