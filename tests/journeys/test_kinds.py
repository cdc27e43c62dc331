"""What every kind of record that people keep must have, in every service."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, get_type_hints

from chassis.records import Kind
from embedded.catalogue import NAMES

# What callers do not see: a change of these alone is no news to them.
UNSEEN = {
    "version",
    *("team", "caller", "fingerprint", "block", "lease", "delete_time"),  # of an import
    *("flow_content", "remind_time"),  # of an approval
    *("resume_stage", "expiry_told", "overdue_told"),
    *("looked_at", "look_time", "sent_until"),  # of a rule of alerts, of a schedule
    "origin",  # of a follow-up that an import brought
    "opportunity",  # of a change request
    "author",  # of a quote or a contract: who drew it up
    "vip_tasks",  # of a customer: how many were asked for
}


def kinds() -> dict[str, Kind[Any]]:
    found: dict[str, Kind[Any]] = {}
    for service in NAMES:
        package = service.replace("-", "_")
        if importlib.util.find_spec(f"{package}.usecases") is None:
            continue
        usecases = importlib.import_module(f"{package}.usecases")
        for module in pkgutil.iter_modules(usecases.__path__):
            content = vars(importlib.import_module(f"{usecases.__name__}.{module.name}"))
            found |= {one.resource: one for one in content.values() if isinstance(one, Kind)}
    return found


def test_whatever_changes_of_a_record_is_told_under_the_name_of_a_field_that_it_has() -> None:
    """So that a stale etag is answered with all that changed."""
    found = kinds()
    assert len(found) == 25
    for kind in found.values():
        message = get_type_hints(kind.shown)["return"].DESCRIPTOR
        fields = set(message.fields_by_name)
        assert {"name", "etag"} <= fields, kind.resource
        assert set(kind.spelt.values()) <= fields, kind.resource
        assert set(kind.spelt) <= set(kind.names), kind.resource
        unseen = {name for name in kind.names if kind.spelt.get(name, name) not in fields}
        assert unseen <= UNSEEN, (kind.resource, unseen - UNSEEN)
