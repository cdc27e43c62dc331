"""What every request is checked for."""

from __future__ import annotations

from typing import Any

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck

_LONGEST_REQUEST_ID = 128


def checked(request: Any, check: FieldCheck | None = None) -> None:
    """Raises Invalid for a request_id that is none, and for all that `check` has found so far."""
    found = check or FieldCheck()
    if request.request_id:
        found.take("request_id", fields.text, request.request_id, _LONGEST_REQUEST_ID)
    if found.violations:
        raise Invalid(found.violations)
