"""Quotes that a customer opens by a link, without signing in: a small page, and the PDF."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from chassis.errors import NotFound
from dealwright.contracts.v1 import quotes_pb2
from gateway.doors import problems, quote_pages, uploads
from gateway.doors.addresses import Method
from gateway.doors.calls import Arrival, Calls, traceparent
from gateway.doors.problems import HttpProblem
from gateway.doors.rest import Rest
from gateway.settings import GatewaySettings

PREFIX = "/q/"
_PATH = re.compile(r"/q/([A-Za-z0-9_-]{1,64})(/pdf)?\Z")
# What fetches a page because somebody was sent its address, and before he looks at it himself, if he ever does.
_PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|prefetch|scan|safelinks|facebookexternalhit|whatsapp/|imageproxy|headless",
    re.IGNORECASE,
)
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class QuoteLinks:
    def __init__(self, methods: Sequence[Method], calls: Calls, rest: Rest, settings: GatewaySettings) -> None:
        known: Mapping[str, Method] = {method.name: method for method in methods}
        self._open, self._download = known["OpenQuoteLink"], known["DownloadQuoteLink"]
        self._calls, self._rest, self._settings = calls, rest, settings

    async def answer(self, request: Request) -> Response:
        """Never raises: whoever opens a link gets a page that a person can read."""
        tongue = _language(request)
        try:
            response = await self._answer(request, tongue)
        except Exception as error:
            told = self._rest.told(request, error, None, tongue)
            status = quote_pages.ENDED if told.body["reason"] == "ENDED" else told.status
            page = quote_pages.problem(tongue, status, told.body["detail"])
            response = Response(page, status, told.headers, "text/html")
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Cache-Control"] = "private, no-store"
        if response.media_type == "text/html":
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Content-Language"] = "zh-CN" if tongue == "zh" else "en"
        return response

    async def _answer(self, request: Request, tongue: str) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise HttpProblem(
                *(405, "METHOD_NOT_ALLOWED", "This address takes GET, HEAD.", "该地址只支持 GET, HEAD。"),
                {"Allow": "GET, HEAD"},
            )
        found = _PATH.match(request.scope["path"])
        if found is None:
            raise NotFound("")
        token, as_pdf = found[1], found[2] is not None
        arrival = Arrival(
            "",
            request.client.host if request.client else "",
            self._settings.default_deadline,
            traceparent(request.headers.get("traceparent", "")),
        )
        if as_pdf:
            asked = quotes_pb2.DownloadQuoteLinkRequest(token=token, language=tongue)
            return uploads.download(await self._calls.call(self._download, asked, arrival))
        seen = request.method == "GET" and is_person(request.headers)
        opening = quotes_pb2.OpenQuoteLinkRequest(token=token, language=tongue, seen=seen)
        shown = quotes_pb2.PublicQuote.FromString(await self._calls.call(self._open, opening, arrival))
        return Response(quote_pages.quote(tongue, shown, token), media_type="text/html")


def is_person(headers: Headers) -> bool:
    """Whether somebody looks: no program that says what it is, no browser that fetches ahead."""
    agent = headers.get("user-agent", "")
    ahead = any(re.search("prefetch|prerender|preview", headers.get(name, ""), re.IGNORECASE) for name in _AHEAD)
    return bool(agent) and not ahead and not _PROGRAMS.search(agent)


def _language(request: Request) -> str:
    wanted = request.query_params.get("lang", "")
    return wanted if wanted in ("zh", "en") else problems.language(request.headers.get("accept-language", ""))
