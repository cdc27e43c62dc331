"""The services of this release. The one list that knows them all; each is imported when its role is started."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time half a second of every command
    from chassis.service import Service

NAMES = ("directory", "leads", "rules", "customers", "opportunities", "activities", "contracts", "reports", "gateway")


def load(name: str) -> Service:
    """The service's declaration. Raises KeyError for a name that is none."""
    if name not in NAMES:
        raise KeyError(name)
    service: Service = import_module(f"{name}.main").service
    return service
