"""Commands that speak to a running Dealwright over its public API.

DEALWRIGHT_URL names it; without that it is the one that `dealwright up` serves under the same HOST, PORT and TLS_CERT.
DEALWRIGHT_TOKEN, or DEALWRIGHT_LOGIN and a password, sign in.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from chassis.errors import Refused


class Failed(Exception):
    """A problem that the server answered with; its text is for the person at the terminal."""


def apply(file: Path, validate_only: bool) -> int:
    """Returns the exit status: 0 applied or nothing to do, 1 refused."""
    console = Console()
    content = _read(file)
    try:
        answer = _call("/v1/blueprint:apply", {"content": content, "validateOnly": validate_only})
    except Failed as refused:
        console.print(refused, style="red", markup=False, soft_wrap=True)
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
    content = _read(file)
    try:
        answer = _call("/v1/policies:simulate", {"content": content})
    except Failed as refused:
        console.print(refused, style="red", markup=False, soft_wrap=True)
        return 1
    table = Table("lead", "owner", "would be", "step")
    for row in answer.get("differences", []):
        table.add_row(row["lead"], row.get("ownerBefore", "-"), row.get("ownerAfter", "-"), row.get("stepAfter", "-"))
    if table.row_count:
        console.print(table)
    console.print(f"{answer.get('different', 0)} of {answer.get('decisions', 0)} decisions would differ.", markup=False)
    return 0


def _read(file: Path) -> Any:
    """What the YAML says. Raises OSError, or Refused for what is none."""
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise Refused("NO_YAML", f"{file} is no YAML: {why}.", f"{file} 不是有效的 YAML。") from error


def address() -> str:
    """Where Dealwright is asked: DEALWRIGHT_URL, or where `up` with the same settings listens. Raises Refused when that
    is known to nobody but `up` itself."""
    chosen = os.environ.get("DEALWRIGHT_URL")
    if chosen:
        return chosen.rstrip("/")
    from gateway.settings import GatewaySettings

    doors = GatewaySettings()
    if not doors.http_port:
        raise Refused(
            "NO_ADDRESS",
            "PORT=0 took any port: set DEALWRIGHT_URL to the address that `dealwright up` printed.",
            "PORT=0 使用任意端口：请将 DEALWRIGHT_URL 设为 dealwright up 显示的地址。",
        )
    # Who listens everywhere is asked on this machine.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(doors.http_host, doors.http_host)
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if doors.tls_cert else 'http'}://{name}:{doors.http_port}"


def trust() -> ssl.SSLContext | None:
    """For our own `up`: its very certificate, whatever name is in it. As usual for an address that was given."""
    from gateway.settings import GatewaySettings

    own = None if os.environ.get("DEALWRIGHT_URL") else GatewaySettings().tls_cert
    if own is None:
        return None
    # The first of the file is the server's; those that signed it would vouch for others, too.
    found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", own.read_text(), re.DOTALL)
    context = ssl.create_default_context(cadata=found[0] if found else "")
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context


def _call(path: str, body: dict[str, Any]) -> dict[str, Any]:
    base = address()
    token = os.environ.get("DEALWRIGHT_TOKEN") or sign_in(base)
    return _post(base + path, body, token)


def sign_in(base: str) -> str:
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
        with urllib.request.urlopen(request, timeout=120, context=trust()) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise Failed(problem(error)) from error
    except OSError as error:
        base = url.split("/v1/")[0]
        raise Failed(
            f"no Dealwright answers at {base}: start one, or set DEALWRIGHT_URL, or HOST and PORT ({error}). "
            f"{base} 没有响应：请先启动，或设置 DEALWRIGHT_URL，或设置 HOST 与 PORT。"
        ) from error


def problem(error: urllib.error.HTTPError) -> str:
    try:
        problem = json.load(error)
    except ValueError:
        return f"HTTP {error.code}"
    lines = [str(problem.get("detail") or problem.get("title") or error.code)]
    lines += [f"  {f['field']}: {f['message']}" for f in problem.get("fields", [])]
    return "\n".join(lines)
