"""What a company sets about notices: {"mail": [kinds that go by mail, too]}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from activities.domain.notice import MAILED, Kind
from chassis.fields import FieldCheck

# A rule that says MAIL means it.
_CHOICES = tuple(kind.name for kind in Kind if kind is not Kind.MAIL)


def document(given: Any, check: FieldCheck, path: str) -> dict[str, Any]:
    """The document in its normal form; the default one for None. What is wrong is told to `check`."""
    default = {"mail": [kind.name for kind in MAILED]}
    if given is None:
        return default
    if not isinstance(given, Mapping):
        check.refuse(path, "must be an object", "须为对象")
        return default
    for key in sorted(given.keys() - {"mail"}):
        check.refuse(f"{path}.{key}", "there is no such setting", "没有这个设置项")
    mail = given.get("mail", default["mail"])
    if not isinstance(mail, list) or any(one not in _CHOICES for one in mail):
        check.refuse(
            f"{path}.mail", f"must be a list of {', '.join(_CHOICES)}", f"须为以下各项的列表：{'、'.join(_CHOICES)}"
        )
        return default
    return {"mail": [kind for kind in _CHOICES if kind in mail]}
