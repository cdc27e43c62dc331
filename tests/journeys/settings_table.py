"""The table of settings in docs/guide/operating.md, from the Settings classes and the comments above their fields."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from pydantic.fields import FieldInfo

from activities.settings import ActivitySettings
from chassis.settings import Settings
from directory.usecases.settings import DirectorySettings
from gateway.settings import GatewaySettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "guide" / "operating.md"
_START, _END = "<!-- settings -->\n", "<!-- /settings -->\n"
_FIELD = re.compile(r"    (\w+): ")


def _comments(owner: type[Settings]) -> dict[str, str]:
    """Field to the comment lines right above it."""
    found: dict[str, str] = {}
    lines: list[str] = []
    for line in inspect.getsource(owner).splitlines():
        if line.strip().startswith("# "):
            lines.append(line.strip()[2:])
            continue
        field = _FIELD.match(line)
        if field and lines:
            found[field[1]] = " ".join(lines)
        lines = []
    return found


def _name(field: str, info: FieldInfo) -> str:
    choices = getattr(info.validation_alias, "choices", None)
    return str(choices[0]) if choices else f"DEALWRIGHT_{field.upper()}"


def _default(info: FieldInfo) -> str:
    value = getattr(info.default, "get_secret_value", lambda: info.default)()
    if value is None or value == "":
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def table() -> str:
    """Markdown: every setting of every process, then those of single services."""
    lines = ["| setting | read by | default | what it is |", "|---|---|---|---|"]
    owners: tuple[tuple[type[Settings], str], ...] = (
        (Settings, "all"),
        (DirectorySettings, "directory"),
        (ActivitySettings, "activities"),
        (GatewaySettings, "gateway"),
    )
    for owner, readers in owners:
        comments = _comments(owner)
        for field in owner.model_fields:
            if owner is not Settings and field in Settings.model_fields:
                continue
            info = owner.model_fields[field]
            default = _default(info).replace("|", "\\|")
            lines.append(f"| `{_name(field, info)}` | {readers} | {default} | {comments.get(field, '')} |")
    return "\n".join(lines) + "\n"


def document() -> str:
    """The guide with its table as it should be."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_START)
    return before + _START + table() + _END + rest.partition(_END)[2]
