"""Our part of the blueprint."""

from __future__ import annotations

from activities.storage.tables import settings
from chassis.parts import Part

PART = Part("activities", settings, checks={}, resources={})
