"""Sheets sent as a browser sends them, and what became of their rows."""

from __future__ import annotations

import itertools
from typing import Any

from tests.journeys.api import Api, until

_numbers = itertools.count(1)


def a_phone() -> str:
    return f"1370000{next(_numbers):04}"


def send(api: Api, name: str, content: bytes, **fields: Any) -> Any:
    return api.upload("/v1/imports", fields, {"file": (name, content, "application/octet-stream")})


def ended(api: Api, job: Any) -> Any:
    def look() -> Any:
        now = api.get(f"/v1/{job['name']}")
        return now if now.get("done") else None

    return until(look, 60)


def bring(api: Api, kind: str, *rows: str, **fields: Any) -> Any:
    return ended(api, send(api, f"{kind}.csv", "\n".join(rows).encode(), kind=kind, **fields))


def commit(api: Api, job: Any) -> Any:
    api.post(f"/v1/{job['name']}:commit")
    return ended(api, job)


def undo(api: Api, job: Any) -> Any:
    api.post(f"/v1/{job['name']}:undo")
    return ended(api, job)


def rows(api: Api, job: Any, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/v1/{job['name']}/rows", **query).get("rows", [])
    return found


def counts(job: Any) -> dict[str, int]:
    """What was counted, without what was not."""
    return {name: number for name, number in job["counts"].items() if number}
