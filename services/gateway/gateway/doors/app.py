"""The HTTP application: REST, feed, health, metrics, the try-it page, and the headers that every answer carries."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import ids
from chassis.cache import async_client
from chassis.service import Runtime
from gateway.doors import openapi, problems, quote_links
from gateway.doors.addresses import SERVICES, Book, addresses, methods
from gateway.doors.calls import Calls
from gateway.doors.feed import Feed
from gateway.doors.limits import Limits
from gateway.doors.live import Live
from gateway.doors.pages import front_page
from gateway.doors.problems import HttpProblem
from gateway.doors.quote_links import QuoteLinks
from gateway.doors.rest import Rest
from gateway.doors.sessions import Sessions
from gateway.peers.channels import Channels
from gateway.settings import GatewaySettings
from gateway.usecases.usage import Usage
from gateway.wire import json_writer

Endpoint = Callable[[Request], Awaitable[Response]]
FEED = "/v1/feed"
_FILES = Path(__file__).parent / "static"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Context:
    """Everything one gateway process holds. Made inside its event loop."""

    def __init__(self, runtime: Runtime, settings: GatewaySettings, usage: Usage) -> None:
        self.settings = settings
        self.methods = methods()
        self.book = Book(addresses(self.methods))
        self.store = async_client(settings.redis_url)
        self.channels = Channels(runtime.peer_address, settings)
        self.sessions = Sessions(self.channels, runtime.tokens, settings.session_cache, settings.default_deadline)
        self.calls = Calls(self.channels, self.sessions, Limits(self.store), settings, usage)
        self.feed = Feed(self.store, settings, self.sessions.drop)

    def start(self) -> None:
        self.feed.start()

    async def stop(self) -> None:
        await self.feed.stop()
        await self.channels.close()
        await self.store.aclose()


def create_app(context: Context) -> ASGIApp:
    rest = Rest(context.book, context.calls, context.settings)
    quotes = QuoteLinks(context.methods, context.calls, rest, context.settings)
    live = Live(context.feed, context.calls, rest, context.settings)

    @functools.cache
    def document() -> bytes:
        """Made when somebody first asks: what it is made from would lie in every gateway's memory for good."""
        return json_writer.encode(openapi.document(context.book.addresses))

    async def ready(request: Request) -> Response:
        names = list(SERVICES)
        answers = await asyncio.gather(*(context.channels.ready(name) for name in names))
        away = [name for name, well in zip(names, answers, strict=True) if not well]
        # Ready all the same: a gateway taken away because of one service would take the others with it.
        return _json({"status": "ready", "away": away})

    async def healthy(request: Request) -> Response:
        return _json({"status": "ok"})

    async def metrics(request: Request) -> Response:
        body = await asyncio.to_thread(generate_latest)
        return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def described(request: Request) -> Response:
        body = await asyncio.to_thread(document)
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-cache"})

    async def docs(request: Request) -> Response:
        return FileResponse(_FILES / "docs.html")

    async def script(request: Request) -> Response:
        return FileResponse(_FILES / "docs.js", media_type="text/javascript")

    async def password(request: Request) -> Response:
        return FileResponse(_FILES / "password.html")

    async def password_script(request: Request) -> Response:
        return FileResponse(_FILES / "password.js", media_type="text/javascript")

    async def style(request: Request) -> Response:
        return FileResponse(_FILES / "pages.css")

    async def quote_style(request: Request) -> Response:
        return FileResponse(_FILES / "quote.css")

    async def front(request: Request) -> Response:
        tongue = problems.language(request.headers.get("accept-language", ""))
        return Response(front_page(tongue), media_type="text/html")

    fixed: dict[str, Endpoint] = {
        "/": front,
        "/healthz": healthy,
        "/readyz": ready,
        "/metrics": metrics,
        "/openapi.json": described,
        "/docs": docs,
        "/docs.js": script,
        "/pages.css": style,
        "/quote.css": quote_style,
        "/password": password,
        "/password.js": password_script,
        FEED: live.answer,
    }

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["path"]  # `request.url` would drop control characters
        endpoint = quotes.answer if path.startswith(quote_links.PREFIX) else fixed.get(path, rest.answer)
        try:
            if endpoint != rest.answer:
                _require_get(request)
            response = await endpoint(request)
        except Exception as error:
            response = rest.refuse(request, error)
        await response(scope, receive, send)

    return _Frame(app)


def _require_get(request: Request) -> None:
    allowed = "GET" if request.scope["path"] == FEED else "GET, HEAD"  # a feed's head would never end
    if request.method not in allowed.split(", "):
        raise HttpProblem(
            405, "METHOD_NOT_ALLOWED", f"This address takes {allowed}.", f"该地址只支持 {allowed}。", {"Allow": allowed}
        )


def _json(plain: object, status: int = 200) -> Response:
    return Response(json_writer.encode(plain), status_code=status, media_type="application/json")


class _Frame:
    """Around every request: its id (the caller's, or a new one), and the security headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        request_id = given if _REQUEST_ID.match(given) else ids.new_id()
        scope["request_id"] = request_id

        async def send_framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_frame_headers(message["headers"], request_id)]
            await send(message)

        wrapped: Callable[[Message], Awaitable[None]] = send_framed
        await self._app(scope, receive, wrapped)


def _frame_headers(present: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    names = {name.lower(): value for name, value in present}
    is_page = names.get(b"content-type", b"").startswith((b"text/html", b"text/javascript", b"text/css"))
    headers = [
        (b"x-request-id", request_id.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
    ]
    if b"content-security-policy" not in names:
        headers.append((b"content-security-policy", (_PAGE_POLICY if is_page else _API_POLICY).encode()))
    if b"cache-control" not in names:
        headers.append((b"cache-control", b"no-cache" if is_page else b"no-store"))
    return headers
