"""Commands that speak to a running Dealwright over its public API.

DEALWRIGHT_URL (http://127.0.0.1:8080) names it; DEALWRIGHT_TOKEN, or DEALWRIGHT_LOGIN and a password, sign in.
"""

from __future__ import annotations

import getpass
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

_BASE = "http://127.0.0.1:8080"


class _Failed(Exception):
    """A problem that the server answered with; its text is for the person at the terminal."""


def apply(file: Path, validate_only: bool) -> int:
    """Returns the exit status: 0 applied or nothing to do, 1 refused."""
    console = Console()
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    try:
        answer = _call("/v1/blueprint:apply", {"content": content, "validateOnly": validate_only})
    except _Failed as problem:
        console.print(problem, style="red", markup=False)
        return 1
    changes = answer.get("changes", [])
    table = Table("path", "before", "after")
    for change in changes:
        table.add_row(change.get("path", ""), change.get("before", ""), change.get("after", ""))
    if changes:
        console.print(table)
    verb = "would change" if validate_only else "changed"
    console.print(f"{len(changes)} {verb}.", markup=False)
    return 0


def simulate(file: Path) -> int:
    """Prints what the policy in the file would have decided differently. Exit status 1 when it is refused."""
    console = Console()
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    try:
        answer = _call("/v1/policies:simulate", {"content": content})
    except _Failed as problem:
        console.print(problem, style="red", markup=False)
        return 1
    table = Table("lead", "owner", "would be", "step")
    for row in answer.get("differences", []):
        table.add_row(row["lead"], row.get("ownerBefore", "-"), row.get("ownerAfter", "-"), row.get("stepAfter", "-"))
    if table.row_count:
        console.print(table)
    console.print(f"{answer.get('different', 0)} of {answer.get('decisions', 0)} decisions would differ.", markup=False)
    return 0


def _call(path: str, body: dict[str, Any]) -> dict[str, Any]:
    base = os.environ.get("DEALWRIGHT_URL", _BASE).rstrip("/")
    token = os.environ.get("DEALWRIGHT_TOKEN") or _sign_in(base)
    return _post(base + path, body, token)


def _sign_in(base: str) -> str:
    login = os.environ.get("DEALWRIGHT_LOGIN", "admin")
    password = os.environ.get("DEALWRIGHT_ADMIN_PASSWORD") or getpass.getpass(f"password of {login}: ")
    token: str = _post(base + "/v1/sessions", {"login": login, "password": password}, "")["token"]
    return token


def _post(url: str, body: dict[str, Any], token: str) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body, default=str).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    request.add_header("Accept-Language", os.environ.get("LANG", "en")[:2])
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise _Failed(_problem(error)) from error
    except OSError as error:
        raise _Failed(f"no Dealwright answers at {url}: start one, or set DEALWRIGHT_URL ({error})") from error


def _problem(error: urllib.error.HTTPError) -> str:
    try:
        problem = json.load(error)
    except ValueError:
        return f"HTTP {error.code}"
    lines = [str(problem.get("detail") or problem.get("title") or error.code)]
    lines += [f"  {f['field']}: {f['message']}" for f in problem.get("fields", [])]
    return "\n".join(lines)
