"""What went wrong, as one line for the person at the terminal: in English and Chinese, naming what to change."""

from __future__ import annotations

import os
import re

from pydantic import ValidationError

from chassis.errors import Problem
from chassis.testing.process import MissingPart, PartFailed

_PORT = re.compile(r"\bport (\d+)\b")
_PREFIX = "DEALWRIGHT_"
# Settings that people know by their bare names, and their defaults.
_DOORS = {"GRPC_PORT": "50051", "PORT": "8080"}
_NAMED = {"HOST", "TLS_CERT", "TLS_KEY", *_DOORS}
_SECRET = ("KEY", "PASSWORD", "TOKEN", "URL")


def complaint(error: BaseException) -> str | None:
    """The line, or None for an error that is ours and deserves its traceback."""
    if isinstance(error, Problem):
        return f"{error.english} {error.chinese}"
    if isinstance(error, ValidationError):
        wrong = error.errors()[0]
        name, value = _variable(wrong["loc"]), wrong["input"]
        shown = name if any(word in name for word in _SECRET) else f"{name}={value}"
        return f"{shown}: {wrong['msg']}; change {name}. {shown} 无效，请修改 {name}。"
    if isinstance(error, MissingPart):
        return f"{_first(error)}. 缺少 {re.split(r' is missing|:', _first(error))[0]}，请按前述方法安装后重试。"
    if isinstance(error, PartFailed):
        said = _first(error)
        last = str(error).strip().splitlines()[-1].strip()
        return _taken(said) or f"{said if last == said else f'{said} {last}'} 未能启动，请按所述原因处理后重试。"
    if isinstance(error, OSError):
        return _taken(str(error)) or f"{error}: check that it is there and yours. 请检查其是否存在以及您的权限。"
    return None


def _first(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _taken(said: str) -> str | None:
    """About a port: the setting that chooses it."""
    found = _PORT.search(said)
    if found is None:
        return None
    number = found[1]
    name = next((n for n, usual in _DOORS.items() if os.environ.get(n, usual) == number), "PORT")
    return f"{said}; set {name} to a free port (0 takes any). 端口 {number} 无法使用，请用 {name} 换一个（0 为任意）。"


def _variable(place: tuple[int | str, ...]) -> str:
    """The environment's name of a setting."""
    name = str(place[0]).upper() if place else ""
    return name if name in _NAMED or name.startswith(_PREFIX) else _PREFIX + name
