"""One call of a public RPC, whichever door it came through: who calls, limits, the inner call.

Rights are judged, logged and counted in one place, the server of the service that is called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import grpc.aio
from google.protobuf.message import DecodeError, Message

from chassis import clock, ids, telemetry
from chassis.access import ANONYMOUS, Principal
from chassis.errors import NotFound, Refused, unauthenticated
from dealwright.leads.v1 import leads_pb2
from gateway.doors import web_forms
from gateway.doors.addresses import Method
from gateway.doors.forms import Forms
from gateway.doors.limits import Limits
from gateway.doors.sessions import Sessions
from gateway.peers.channels import Channels
from gateway.settings import GatewaySettings
from gateway.usecases.usage import Usage

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
# What is called of no resource: signing in and out, the company's pages.
_FEATURE = "sessions"
_OUR_FAULT = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE})
_ADDRESS = re.compile(r"[0-9A-Za-z:.%_-]{1,64}\Z", re.ASCII)


@dataclass(frozen=True)
class Arrival:
    """What came with a request: the session's token (empty: none), from where, how long there is, its trace."""

    token: str
    address: str
    seconds: float
    traceparent: str


def traceparent(given: str) -> str:
    """The caller's. Without one: nothing where traces are taken, so that the sampler chooses among calls; elsewhere one
    of our own that is not sampled, which ties events to their call all the same."""
    if _TRACEPARENT.match(given):
        return given
    return "" if telemetry.tracing() else f"00-{ids.new_id()}-{ids.new_id()[16:]}-00"


class Calls:
    def __init__(
        self, channels: Channels, sessions: Sessions, limits: Limits, settings: GatewaySettings, usage: Usage
    ) -> None:
        self._usage = usage
        self._channels = channels
        self._sessions = sessions
        self._limits = limits
        self._settings = settings
        self.forms = Forms(channels, sessions)

    async def admit(self, token: str, address: str) -> Principal:
        """Who the token stands for. Wrong tokens count against their address."""
        return (await self._caller(token, address))[0]

    async def _caller(self, token: str, address: str) -> tuple[Principal, str]:
        if not token:
            await self._limits.take(f"address:{address}", self._settings.address_rate)
            raise unauthenticated()
        try:
            caller = await self._sessions.resolve(token)
        except Refused:
            await self._limits.take(f"address:{address}", self._settings.address_rate)
            raise
        return caller.principal, caller.token

    async def call(self, method: Method, request: Message | bytes, arrival: Arrival) -> bytes:
        """The answer's bytes. Raises chassis.errors.Problem or grpc.aio.AioRpcError."""
        started = clock.monotonic()
        if method.rule.anonymous:
            principal, internal = ANONYMOUS, ""
            await self._limit_anonymous(method, request, arrival.address)
        else:
            principal, internal = await self._caller(arrival.token, arrival.address)
            await self._limits.take(f"session:{principal.session or principal.person}", self._settings.session_rate)
        body = request if isinstance(request, bytes) else request.SerializeToString()
        most = self._settings.largest_request if method.takes_file else self._settings.max_message_bytes
        if len(body) > most:
            raise too_large(most)
        with telemetry.serving("gateway", method.name, arrival.traceparent) as trace:
            metadata = [("traceparent", trace)]
            if _ADDRESS.match(arrival.address):  # a proxy may have let anything through
                metadata.append(("x-client-address", arrival.address))
            if internal:
                metadata.append(("authorization", f"Bearer {internal}"))
            left = arrival.seconds - (clock.monotonic() - started)
            failed = False
            try:
                answer = await self._channels.call(
                    method.service, method.path, body, metadata, max(left, 0.001), again=method.idempotent
                )
            except grpc.aio.AioRpcError as problem:
                failed = problem.code() in _OUR_FAULT
                raise
            finally:
                took = clock.monotonic() - started
                self._usage.count(principal.person, method.rule.resource or _FEATURE, took, failed)
        if method.name == "DeleteSession":
            self._sessions.forget(arrival.token)
        return answer

    async def _limit_anonymous(self, method: Method, request: Message | bytes, address: str) -> None:
        await self._limits.take(f"address:{address}", self._settings.address_rate)
        if method.name == "DescribeForm":
            return
        if method.name in ("OpenQuoteLink", "DownloadQuoteLink"):
            await self._limits.take(f"link:{address}", self._settings.link_rate)
            return
        if method.name != "SubmitForm":
            await self._limits.take(f"sign-in:{address}", self._settings.sign_in_rate)
            return
        try:
            submit = leads_pb2.SubmitFormRequest.FromString(request) if isinstance(request, bytes) else request
        except DecodeError:
            return  # the service refuses it
        form = str(getattr(submit, "form", ""))
        await self._limits.take(f"form:{form[:200]}:{address}", await self._form_rate(form))

    async def allow(self, form: str, origin: str, address: str) -> dict[str, str]:
        """The headers by which a page of another site may use a form. Raises Problem, HttpProblem, AioRpcError."""
        await self._limits.take(f"address:{address}", self._settings.address_rate)
        found = await self.forms.get(form)
        if not found.open:
            raise NotFound(form[:80])
        return web_forms.cors(found, origin)

    async def _form_rate(self, form: str) -> int:
        """The form's own rate; the setting where it has none."""
        try:
            return (await self.forms.get(form)).rate_per_minute or self._settings.form_rate
        except (NotFound, grpc.aio.AioRpcError, DecodeError):
            return self._settings.form_rate  # the call itself will say so


class TooLarge(Refused):
    pass


def too_large(most: int) -> TooLarge:
    size = f"{most // (1024 * 1024)} MB"
    return TooLarge("TOO_LARGE", f"The request is larger than {size}.", f"请求超过 {size}。", code="RESOURCE_EXHAUSTED")
