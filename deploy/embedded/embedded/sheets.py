"""`dealwright import`: a sheet goes to a running Dealwright, and a bar shows how far it is."""

from __future__ import annotations

import base64
import json
import os
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chassis.errors import Refused
from embedded.remote import Failed, address, problem, sign_in, trust

# What goes in one request; the rest of a larger file follows in parts.
_FIRST, _PART = 2 * 1024 * 1024, 2 * 1024 * 1024
_LOOK = 0.3
_SHOWN = 20


class Session:
    """One sign-in at the Dealwright that the environment names."""

    def __init__(self) -> None:
        self._base = address()
        self._token = os.environ.get("DEALWRIGHT_TOKEN") or sign_in(self._base)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer as plain data. Raises Failed."""
        return json.loads(self.raw(path, body))

    def raw(self, path: str, body: dict[str, Any] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, method="GET" if data is None else "POST")
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept-Language", os.environ.get("LANG", "en")[:2])
        try:
            with urllib.request.urlopen(request, timeout=120, context=trust()) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise Failed(problem(error)) from error
        except OSError as error:
            raise Failed(f"no Dealwright answers at {self._base} ({error}). {self._base} 没有响应。") from error


def mapping(text: str) -> Any:
    """Header to field, as JSON. Raises Refused."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused("NO_JSON", f"--mapping is no JSON: {error}.", "--mapping 不是有效的 JSON。") from error


def bring(file: Path, wanted: dict[str, Any], refused: Path | None) -> int:
    """Imports the file. Exit status: 0 all rows are in, 1 refused as a whole, 3 some rows were refused."""
    console = Console()
    try:
        session = Session()
        job = _followed(session, _sent(session, file, wanted), console)
    except Failed as refusal:
        console.print(refusal, style="red", markup=False, soft_wrap=True)
        return 1
    if job.get("error"):
        console.print(job["error"]["message"], style="red", markup=False, soft_wrap=True)
        return 1
    counts = job.get("counts", {})
    wrong = counts.get("refused", 0)
    if wrong:
        _show(session, job, console)
        if refused is not None:
            refused.write_bytes(session.raw(f"/v1/{job['name']}:downloadRefused"))
            console.print(f"refused rows: {refused}", markup=False)
    said = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    console.print(f"{job['name']} {job['state']}: {said or 'nothing'}", markup=False, soft_wrap=True)
    if job["state"] == "PREVIEWED":
        console.print(f"dealwright import --commit {job['name']}   takes the rows in", markup=False, soft_wrap=True)
    return 3 if wrong else 0


def act(name: str, verb: str) -> int:
    """Commits or undoes an import by its name, and follows it to its end."""
    console = Console()
    try:
        session = Session()
        job = _followed(session, session.ask(f"/v1/{name}:{verb}", {}), console)
    except Failed as refusal:
        console.print(refusal, style="red", markup=False, soft_wrap=True)
        return 1
    said = ", ".join(f"{number} {what}" for what, number in job.get("counts", {}).items() if number)
    console.print(f"{job['name']} {job['state']}: {said or 'nothing'}", markup=False, soft_wrap=True)
    for kept in job.get("kept", []):
        console.print(f"kept: {kept}", markup=False)
    return 0


def template(kind: str, file: Path | None) -> int:
    """Writes a sheet of this kind to fill in: CSV where the file's name says so, in the terminal's language."""
    console = Console()
    file = file or Path(f"{kind.lower()}-template.xlsx")
    form = "CSV" if file.suffix.lower() == ".csv" else "XLSX"
    language = "zh" if os.environ.get("LANG", "en").startswith("zh") else "en"
    asked = urllib.parse.urlencode({"kind": kind.upper(), "format": form, "language": language})
    try:
        file.write_bytes(Session().raw(f"/v1/imports:template?{asked}"))
    except Failed as refusal:
        console.print(refusal, style="red", markup=False, soft_wrap=True)
        return 1
    console.print(f"template: {file}", markup=False, soft_wrap=True)
    return 0


def _sent(session: Session, file: Path, wanted: dict[str, Any]) -> Any:
    size = file.stat().st_size
    with file.open("rb") as content:
        first = content.read(_FIRST)
        more = size > len(first)
        body = {**wanted, "fileName": file.name, "content": base64.b64encode(first).decode(), "more": more}
        job = session.ask("/v1/imports", body)
        at = len(first)
        while more:
            part = content.read(_PART)
            more = at + len(part) < size and bool(part)
            sent = {"offset": str(at), "content": base64.b64encode(part).decode(), "more": more}
            job = session.ask(f"/v1/{job['name']}:append", sent)
            at += len(part)
    return job


def _followed(session: Session, job: Any, console: Console) -> Any:
    """The job when nothing more happens by itself, a bar meanwhile."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(job["state"], total=None)
        while not job.get("done"):
            threading.Event().wait(_LOOK)
            job = session.ask(f"/v1/{job['name']}")
            total = job.get("totalRows") or None
            progress.update(bar, description=job["state"], completed=job.get("doneRows", 0), total=total)
    return job


def _show(session: Session, job: Any, console: Console) -> None:
    wanted = "verdict%20%3D%20ERROR"
    rows = session.ask(f"/v1/{job['name']}/rows?pageSize={_SHOWN}&filter={wanted}").get("rows", [])
    table = Table("row", "why")
    for row in rows:
        fields = "; ".join(f"{f['field']}: {f['message']}" for f in row["error"].get("fields", []))
        table.add_row(str(row["number"]), fields or row["error"]["message"])
    console.print(table)
