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
from chassis.errors import Refused, unauthenticated
from dealwright.leads.v1 import leads_pb2
from gateway.addresses import Method
from gateway.channels import Channels
from gateway.limits import Limits
from gateway.sessions import Sessions
from gateway.settings import GatewaySettings

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
_FORM_RATE_KEPT = 10.0


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
    def __init__(self, channels: Channels, sessions: Sessions, limits: Limits, settings: GatewaySettings) -> None:
        self._channels = channels
        self._sessions = sessions
        self._limits = limits
        self._settings = settings
        self._form_rates: dict[str, tuple[float, int]] = {}

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
        if len(body) > self._settings.max_message_bytes:
            raise too_large()
        with telemetry.serving("gateway", method.name, arrival.traceparent) as trace:
            metadata = [("traceparent", trace)]
            if internal:
                metadata.append(("authorization", f"Bearer {internal}"))
            left = arrival.seconds - (clock.monotonic() - started)
            answer = await self._channels.call(
                method.service, method.path, body, metadata, max(left, 0.001), again=method.idempotent
            )
        if method.name == "DeleteSession":
            self._sessions.forget(arrival.token)
        return answer

    async def _limit_anonymous(self, method: Method, request: Message | bytes, address: str) -> None:
        await self._limits.take(f"address:{address}", self._settings.address_rate)
        if method.name != "SubmitForm":
            await self._limits.take(f"sign-in:{address}", self._settings.sign_in_rate)
            return
        try:
            submit = leads_pb2.SubmitFormRequest.FromString(request) if isinstance(request, bytes) else request
        except DecodeError:
            return  # the service refuses it
        form = str(getattr(submit, "form", ""))
        await self._limits.take(f"form:{form[:200]}:{address}", await self._form_rate(form))

    async def _form_rate(self, form: str) -> int:
        """The form's own rate, asked at `leads` now and then; the setting where it has none."""
        known = self._form_rates.get(form)
        if known is not None and known[0] > clock.monotonic():
            return known[1]
        rate = self._settings.form_rate
        metadata = (("authorization", f"Bearer {self._sessions.peer_token()}"),)
        try:
            answer = await self._channels.call(
                "leads",
                "/dealwright.leads.v1.LeadService/GetForm",
                leads_pb2.GetFormRequest(name=form).SerializeToString(),
                metadata,
                5.0,
            )
            rate = leads_pb2.Form.FromString(answer).rate_per_minute or rate
        except (grpc.aio.AioRpcError, DecodeError):
            pass  # a form that does not exist, or a service that is away: the call itself will say so
        if len(self._form_rates) > 1_000:
            self._form_rates.clear()
        self._form_rates[form] = (clock.monotonic() + _FORM_RATE_KEPT, rate)
        return rate


class TooLarge(Refused):
    pass


def too_large() -> TooLarge:
    return TooLarge("TOO_LARGE", "The request is larger than 4 MB.", "请求超过 4 MB。", code="RESOURCE_EXHAUSTED")
