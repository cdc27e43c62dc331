"""Captures through the gateway's REST surface: bodies, a lean keep-alive client, what the answers say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from google.protobuf import json_format

from loadtests import contacts


def capture(number: int) -> dict[str, Any]:
    """The JSON of one capture."""
    plain: dict[str, Any] = json_format.MessageToDict(contacts.request(contacts.contact(number)))
    return plain


def bodies(first: int, count: int, batch: int) -> list[bytes]:
    """Single captures, or batches of `batch` when that is not 0."""
    plain: list[Any] = [capture(number) for number in range(first, first + count)]
    if batch:
        plain = [{"requests": plain[start : start + batch]} for start in range(0, count, batch)]
    return [json.dumps(one, ensure_ascii=False).encode() for one in plain]


def outcomes(answer: bytes) -> tuple[int, list[str]]:
    """How many leads were created, and why the others were not."""
    plain = json.loads(answer)
    results: Sequence[Any] = plain.get("results", [plain])
    created = [r for r in results if r.get("outcome") == "CREATED"]
    return len(created), [json.dumps(r, ensure_ascii=False)[:300] for r in results if r.get("outcome") != "CREATED"]


@dataclass
class Client:
    """HTTP/1.1 over `connections` kept open, written by hand: a full client would be the bottleneck."""

    url: str
    token: str
    connections: int
    batch: bool = False

    async def __aenter__(self) -> Self:
        parts = urlsplit(self.url)
        self._idle: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()
        self._writers = []
        for _ in range(self.connections):
            streams = await asyncio.open_connection(parts.hostname, parts.port)
            self._writers.append(streams[1])
            self._idle.put_nowait(streams)
        self._head = (
            f"POST /v1/leads:{'batchCapture' if self.batch else 'capture'} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers:
            writer.close()

    async def send(self, body: bytes) -> bytes:
        """The answer's body, whatever its status. Raises OSError when the connection is lost."""
        reader, writer = await self._idle.get()
        writer.write(self._head + b"%d\r\n\r\n" % len(body) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        if b"transfer-encoding: chunked" in lowered:
            answer = await _chunks(reader)
        else:
            length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            answer = await reader.readexactly(length)
        self._idle.put_nowait((reader, writer))
        return answer


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";", 1)[0], 16)
        part = await reader.readexactly(size + 2)
        if size == 0:
            return b"".join(parts)
        parts.append(part[:-2])
