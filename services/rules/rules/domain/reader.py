"""Reading what people write (YAML or JSON, already parsed): every mistake is named by its path."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Problem = tuple[str, str, str]
"""Path, English, Chinese."""

_PERSON = re.compile(r"people/([A-Za-z0-9._~-]{1,100})")
LONGEST_LIST = 500
LONGEST_TEXT = 200


class Reader:
    """Collects `problems` as it goes."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def no(self, path: str, english: str, chinese: str) -> None:
        self.problems.append((path, english, chinese))

    def mapping(self, value: Any, path: str, known: set[str]) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self.no(path, "must be an object", "必须是对象")
            return {}
        for key in value:
            if key not in known:
                where = f"{path}.{key}" if path else str(key)
                self.no(where, "is not known here", "此处没有这个设置")
        return {str(key): item for key, item in value.items()}

    def text(self, value: Any, path: str, longest: int = LONGEST_TEXT, empty: bool = True) -> None:
        if not isinstance(value, str) or len(value) > longest or (not empty and not value.strip()):
            least = "" if empty else "non-empty "
            self.no(path, f"must be a {least}text of at most {longest} characters", f"必须是不超过{longest}字的文本")

    def texts(self, value: Any, path: str, allowed: Sequence[str] | None = None) -> None:
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            self.no(path, f"must be a list of at most {LONGEST_LIST}", f"必须是不超过{LONGEST_LIST}项的列表")
            return
        for number, item in enumerate(value):
            if allowed is None:
                self.text(item, f"{path}[{number}]", empty=False)
            elif item not in allowed:
                names = ", ".join(allowed)
                self.no(f"{path}[{number}]", f"must be one of {names}", f"必须是以下之一：{names}")

    def person(self, value: Any, path: str, others: Sequence[str] = ()) -> None:
        if isinstance(value, str) and (value in others or _PERSON.fullmatch(value)):
            return
        forms = (*others, "people/...")
        self.no(path, f"must be {' or '.join(forms)}", f"必须是 {' 或 '.join(forms)}")

    def people(self, value: Any, path: str) -> None:
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            self.texts(value, path)
            return
        for number, item in enumerate(value):
            self.person(item, f"{path}[{number}]")

    def number(self, value: Any, path: str, least: int, most: int) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.no(path, f"must be a whole number from {least} to {most}", f"必须是{least}到{most}的整数")

    def flag(self, value: Any, path: str) -> None:
        if not isinstance(value, bool):
            self.no(path, "must be true or false", "必须是 true 或 false")
