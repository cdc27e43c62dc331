"""The tables that all of this service shares; each noun has its own beside."""

from __future__ import annotations

import sqlalchemy as sa

from chassis import numbers as counted
from chassis import parts
from chassis import people as people_copy

metadata = sa.MetaData()

people = people_copy.table(metadata)
settings = parts.table(metadata)
# Of quotes ("Q-20260131") and of contracts ("C-20260131").
numbers = counted.table(metadata)
