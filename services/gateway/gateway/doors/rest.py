"""The REST side: every public RPC under the address of its proto, one endpoint for all."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.message import Message
from prometheus_client import Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from chassis import clock
from chassis.errors import Invalid, Problem
from gateway.doors import batches, blueprint_text, pages, problems, transcoder, uploads, web_forms
from gateway.doors.addresses import Address, Book, Match, Method
from gateway.doors.calls import Arrival, Calls, TooLarge, traceparent
from gateway.doors.limits import retry_after
from gateway.doors.problems import HttpProblem, Told
from gateway.peers.channels import status_from
from gateway.settings import GatewaySettings
from gateway.wire import json_text, json_writer, yaml_text
from gateway.wire.json_text import NotJson

log = structlog.get_logger(__name__)
HTTP_SECONDS = Histogram(
    "dealwright_http_seconds",
    "Time to answer an HTTP request.",
    ("method", "code"),
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
_JSON = "application/json"
_MOST_DRAINED = 32 * 1024 * 1024
_BODY_SECONDS = 60.0
_FILE_SECONDS = 180.0
_BEARER = re.compile(r"[Bb]earer +(\S+)\Z")


def bearer(header: str) -> str:
    found = _BEARER.match(header.strip())
    return found[1] if found else ""


class Rest:
    """`answer(request)` never raises: whatever goes wrong is a problem."""

    def __init__(self, book: Book, calls: Calls, settings: GatewaySettings) -> None:
        self._book = book
        self._calls = calls
        self._settings = settings
        self._files = uploads.Few(settings.files_at_once)

    async def answer(self, request: Request) -> Response:
        started = clock.monotonic()
        match: Match | None = None
        cors: dict[str, str] = {}
        try:
            match, is_preflight = self._match(request)
            cors = await self._allowed(match, request)
            if is_preflight:
                response = Response(status_code=204, headers=web_forms.preflight(match.address.verb, cors))
            else:
                response = await self._call(match, request)
        except ClientDisconnect:
            response = Response(status_code=499)
        except Exception as error:
            response = self.refuse(request, error, match.address if match else None)
        response.headers.update(cors)
        name = match.address.method.name if match else "none"
        HTTP_SECONDS.labels(name, str(response.status_code)).observe(clock.monotonic() - started)
        return response

    def refuse(self, request: Request, error: Exception, address: Address | None = None) -> Response:
        """The problem response for anything that was raised."""
        tongue = _tongue(request)
        told = self.told(request, error, address, tongue)
        if address is not None and address.method.name == "SubmitForm" and _as_page(request):
            headers = {**told.headers, "Content-Language": "zh-CN" if tongue == "zh" else "en"}
            page = pages.refused_page(tongue, told.body)
            return Response(page, status_code=told.status, headers=headers, media_type="text/html")
        return problem_response(told, tongue)

    def told(self, request: Request, error: Exception, address: Address | None, tongue: str) -> Told:
        """Anything that was raised, as people read it in a language ("zh", "en")."""
        request_id = request.scope.get("request_id", "")

        def to_path(path: str) -> str:
            return transcoder.json_path(address, path) if address else path

        if isinstance(error, HttpProblem):
            told = problems.of_http(error, tongue, request_id)
        elif isinstance(error, TimeoutError):
            slow = HttpProblem(
                408, "TOO_SLOW", "The body did not arrive in time.", "请求正文未能及时送达。", {"Connection": "close"}
            )
            told = problems.of_http(slow, tongue, request_id)
        elif isinstance(error, TooLarge):
            told = problems.of_http(HttpProblem(413, error.reason, error.english, error.chinese), tongue, request_id)
        elif isinstance(error, Invalid):  # found here: its paths are as the client wrote them
            told = problems.of_problem(error, tongue, request_id)
        elif isinstance(error, Problem):
            told = problems.of_problem(error, tongue, request_id, to_path)
            told.headers.update(retry_after(error))
        elif isinstance(error, grpc.aio.AioRpcError):
            told = problems.of_status(status_from(error), tongue, request_id, to_path)
            if told.status >= 500:
                log.warning("call failed", method=address.method.name if address else "", code=error.code().name)
        else:
            log.error("request failed", error=type(error).__name__, path=request.url.path, exc_info=error)
            texts = ("An error of ours; it was logged.", "系统内部错误，已记录。")
            told = Told(500, problems.build(500, "INTERNAL", texts, tongue, request_id, []))
        return told

    def _match(self, request: Request) -> tuple[Match, bool]:
        """Where the request leads, and whether it only asks if a page may send it."""
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        path = raw.partition(b"?")[0].decode("ascii", "replace")
        verb = "GET" if request.method == "HEAD" else request.method
        planned = request.headers.get("access-control-request-method", "")
        if verb == "OPTIONS" and planned:
            would = self._book.find(planned, path)
            if isinstance(would, Match) and web_forms.form_of(would):
                return would, True
        found = self._book.find(verb, path)
        if isinstance(found, Match):
            return found, False
        if found:
            raise HttpProblem(
                405,
                "METHOD_NOT_ALLOWED",
                f"This address takes {', '.join(found)}.",
                f"该地址只支持 {', '.join(found)}。",
                {"Allow": ", ".join(found)},
            )
        raise HttpProblem(404, "NO_SUCH_ADDRESS", "There is no such address.", "没有该地址。")

    async def _allowed(self, match: Match, request: Request) -> dict[str, str]:
        """The headers for a page of another site; none where it is no such page. Raises where it may not."""
        form = web_forms.form_of(match)
        origin = request.headers.get("origin", "")
        if not form or not web_forms.foreign(origin, request.headers.get("host", "")):
            return {}
        return await self._calls.allow(form, origin, request.client.host if request.client else "")

    async def _call(self, match: Match, request: Request) -> Response:
        address, headers = match.address, request.headers
        arrival = Arrival(
            bearer(headers.get("authorization", "")),
            request.client.host if request.client else "",
            self._settings.default_deadline,
            traceparent(headers.get("traceparent", "")),
        )
        method = address.method
        if method.takes_file and headers.get("content-type", "").lower().startswith(uploads.MULTIPART):
            await self._calls.admit(arrival.token, arrival.address)  # before anything of it is read
            async with self._files.place():
                message = await self._upload(match, request)
                answer = await self._calls.call(method, message, arrival)
            return _answered(method, answer, request)
        try:
            plain, query = await self._plain(address, request)
        except NotJson as problem:
            raise Invalid([("", problem.english, problem.chinese)]) from None
        if method.gives_file:
            async with self._files.place():
                message = transcoder.request_of(match, query, plain)
                return uploads.download(await self._calls.call(method, message, arrival))
        if batches.is_batch(address.method.descriptor):
            plain_out = await self._batch(batches.read(match, query, plain), match, arrival, request)
        else:
            message = transcoder.request_of(match, query, plain)
            answer = await self._calls.call(address.method, message, arrival)
            plain_out = json_writer.write(address.method.response.FromString(answer))
            if address.method.name == "SubmitForm" and _as_page(request):
                return await self._thanked(match, plain_out["message"], request)
            if address.method.name == "GetBlueprint":
                return blueprint_text.answer(plain_out, headers.get("accept", ""))
            if address.method.name == "DescribeForm":
                web_forms.localize(plain_out, _tongue(request))
            elif address.method.descriptor.containing_service.name == "ImportService":
                problems.in_tongue(plain_out, _tongue(request))
        return Response(json_writer.encode(plain_out), media_type=_JSON)

    async def _thanked(self, match: Match, message: str, request: Request) -> Response:
        with contextlib.suppress(Problem, grpc.aio.AioRpcError):  # it was stored: whoever is away now, it is no error
            if url := (await self._calls.forms.get(web_forms.form_of(match))).thanks_url:
                return Response(status_code=303, headers={"Location": url})
        return Response(pages.thanks_page(_tongue(request), message), media_type="text/html")

    async def _batch(self, rows: batches.Rows, match: Match, arrival: Arrival, request: Request) -> dict[str, Any]:
        method = match.address.method
        try:
            answer = await self._calls.call(method, rows.message, arrival)
        except grpc.aio.AioRpcError as error:
            # With no row left to send, the call only asks whether the caller may; the answer then is that none came.
            if not (rows.wrong and rows.nothing_left and error.code() is grpc.StatusCode.INVALID_ARGUMENT):
                raise
            answer = b""
        plain: dict[str, Any] = json_writer.write(method.response.FromString(answer))
        batches.merge(plain, rows)
        tongue = _tongue(request)

        def to_path(index: int, path: str) -> str:
            return transcoder.json_path(match.address, f"requests[{index}].{path}".rstrip("."))

        problems.localize_rows(plain, tongue, request.scope.get("request_id", ""), to_path)
        return plain

    async def _plain(self, address: Address, request: Request) -> tuple[Any, str]:
        """The body as plain data (None: nothing was sent), and the query that the transcoder is to read."""
        query = request.scope.get("query_string", b"").decode("ascii", "replace")
        if not address.body:
            return None, query
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if address.method.name == "SubmitForm" and kind in web_forms.KINDS:
            sent = await self._body(request, web_forms.MOST_BYTES)
            return web_forms.read(request.headers["content-type"], sent), query
        is_blueprint = address.method.name == "ApplyBlueprint"
        as_yaml = is_blueprint and kind in blueprint_text.YAML
        body = await self._body(request, self._settings.max_yaml_bytes if as_yaml else self._settings.max_body_bytes)
        if body and kind != _JSON and not as_yaml:
            also = " or application/yaml" if is_blueprint else ""
            raise HttpProblem(
                415,
                "MEDIA_TYPE",
                f"The body must be application/json{also}.",
                f"请求正文必须是 application/json{'或 application/yaml' if is_blueprint else ''}。",
            )
        plain = await _parsed(body, as_yaml) if body else None
        if body and plain is None:
            raise NotJson("The body must be an object.", "请求正文必须是对象。")
        if is_blueprint:
            return transcoder.blueprint_request(plain, query), ""
        return plain, query

    async def _upload(self, match: Match, request: Request) -> Message:
        query = request.scope.get("query_string", b"").decode("ascii", "replace")
        async with asyncio.timeout(_FILE_SECONDS):
            return await uploads.read(
                match, query, request.headers, self._chunks(request, self._settings.largest_request)
            )

    async def _body(self, request: Request, most: int) -> bytes:
        async with asyncio.timeout(_BODY_SECONDS):
            return b"".join([chunk async for chunk in self._chunks(request, most)])

    async def _chunks(self, request: Request, most: int) -> AsyncGenerator[bytes, None]:
        """Raises HttpProblem for more than so many bytes, at the end: who is still sending would never see it."""
        size = f"{most // 1024} kB" if most < 1024 * 1024 else f"{most // (1024 * 1024)} MB"
        problem = HttpProblem(
            413, "TOO_LARGE", f"The body is larger than {size}.", f"请求正文超过 {size}。", {"Connection": "close"}
        )
        declared = request.headers.get("content-length", "0")
        drained = max(_MOST_DRAINED, most)
        if not declared.isdigit() or len(declared) > 15 or int(declared) > drained:
            raise problem
        length = 0
        async for chunk in request.stream():
            length += len(chunk)
            if length <= most:
                yield chunk
            elif length > drained:
                raise problem
        if length > most:
            raise problem


def _answered(method: Method, answer: bytes, request: Request) -> Response:
    plain = json_writer.write(method.response.FromString(answer))
    problems.in_tongue(plain, _tongue(request))
    return Response(json_writer.encode(plain), media_type=_JSON)


def _tongue(request: Request) -> str:
    return problems.language(request.headers.get("accept-language", ""))


def _as_page(request: Request) -> bool:
    """Whether a browser sent a form as pages do, and shows what comes back."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in web_forms.KINDS and "text/html" in request.headers.get("accept", "")


async def _parsed(body: bytes, as_yaml: bool) -> Any:
    """YAML is read by slow code: in a thread, so that others are served meanwhile."""
    return await asyncio.to_thread(yaml_text.parse, body) if as_yaml else json_text.parse(body)


def problem_response(told: Told, tongue: str) -> Response:
    headers = {**told.headers, "Content-Language": "zh-CN" if tongue == "zh" else "en"}
    return Response(
        json_writer.encode(told.body), status_code=told.status, headers=headers, media_type=problems.MEDIA_TYPE
    )
