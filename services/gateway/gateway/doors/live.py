"""GET /v1/feed: server-sent events, resumable by Last-Event-ID."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import grpc.aio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chassis import clock
from chassis.cache import UNAVAILABLE
from chassis.errors import Invalid, Refused
from gateway.doors import problems
from gateway.doors.calls import Calls
from gateway.doors.feed import Connection, Entry, Feed, may_see, position, shown
from gateway.doors.problems import HttpProblem
from gateway.doors.rest import Rest, bearer
from gateway.settings import GatewaySettings

_HEADERS = {"X-Accel-Buffering": "no"}


class Live:
    def __init__(self, feed: Feed, calls: Calls, rest: Rest, settings: GatewaySettings) -> None:
        self._feed = feed
        self._calls = calls
        self._rest = rest
        self._settings = settings

    async def answer(self, request: Request) -> Response:
        try:
            return await self._open(request)
        except Exception as error:
            return self._rest.refuse(request, error)

    async def _open(self, request: Request) -> Response:
        token = bearer(request.headers.get("authorization", ""))
        address = request.client.host if request.client else ""
        principal = await self._calls.admit(token, address)
        last = request.headers.get("last-event-id", "").strip()
        try:
            if last:
                position(last)
        except ValueError:
            raise Invalid([("Last-Event-ID", "is not an id of this feed", "不是本事件流的编号")]) from None
        if self._feed.closed or self._feed.connections >= self._settings.feed_connections:
            raise HttpProblem(
                503, "FEED_FULL", "The feed takes no more listeners now.", "实时事件连接数已满。", {"Retry-After": "5"}
            )
        tongue = problems.language(request.headers.get("accept-language", ""))
        connection = self._feed.connect(principal)
        return StreamingResponse(
            self._lines(connection, token, address, last, tongue), headers=_HEADERS, media_type="text/event-stream"
        )

    async def _lines(
        self, connection: Connection, token: str, address: str, last: str, tongue: str
    ) -> AsyncIterator[bytes]:
        """Events, a comment now and then, and the end when the session ends or the listener is too slow."""
        try:
            yield b"retry: 2000\n: hello\n\n"
            seen = (0, 0)
            if last:
                try:
                    async for entry in self._feed.since(last):
                        if entry is None:
                            yield b"event: reset\ndata: {}\n\n"
                        else:
                            seen = position(entry.id)
                            if visible := _visible(connection, entry, tongue):
                                yield visible
                except UNAVAILABLE:
                    return
            beat = clock.monotonic()
            checked = beat
            while not connection.cut:
                now = clock.monotonic()
                if connection.doubted or now - checked >= self._settings.session_cache:
                    connection.doubted = False
                    try:
                        connection.principal = await self._calls.admit(token, address)
                    except Refused:
                        return
                    except grpc.aio.AioRpcError:
                        pass  # the directory is away: what was allowed goes on until it answers
                    checked = now
                if now - beat >= self._settings.feed_heartbeat:
                    yield b": \n\n"
                    beat = now
                waits = min(checked + self._settings.session_cache, beat + self._settings.feed_heartbeat) - now
                entry = await connection.next(max(waits, 0.01))
                if entry is not None and position(entry.id) > seen and (line := _visible(connection, entry, tongue)):
                    yield line
        finally:
            self._feed.leave(connection)


def _visible(connection: Connection, entry: Entry, tongue: str) -> bytes:
    if not may_see(connection.principal, entry):
        return b""
    plain = shown(connection.principal, entry, tongue)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return f"id: {entry.id}\nevent: {entry.type}\ndata: {text}\n\n".encode(errors="replace")
