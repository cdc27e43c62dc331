"""Our part of the blueprint."""

from __future__ import annotations

from chassis.parts import Part
from contracts.storage.tables import settings

PART = Part("contracts", settings, checks={}, resources={})
