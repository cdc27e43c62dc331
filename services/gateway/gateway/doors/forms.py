"""What the gateway must know of a public form before its service is asked: its rate, and who may send it."""

from __future__ import annotations

import grpc
import grpc.aio

from chassis import clock
from chassis.errors import NotFound
from dealwright.leads.v1 import leads_pb2
from gateway.doors.sessions import Sessions
from gateway.peers.channels import Channels

_KEPT = 10.0
_MOST = 1_000
_PATH = "/dealwright.leads.v1.LeadService/GetForm"


class Forms:
    """Each form is asked for at `leads` now and then: a change bites within ten seconds."""

    def __init__(self, channels: Channels, sessions: Sessions) -> None:
        self._channels = channels
        self._sessions = sessions
        self._known: dict[str, tuple[float, leads_pb2.Form]] = {}

    async def get(self, name: str) -> leads_pb2.Form:
        """Raises NotFound, or AioRpcError when `leads` is away."""
        known = self._known.get(name)
        if known is not None and known[0] > clock.monotonic():
            return known[1]
        metadata = (("authorization", f"Bearer {self._sessions.peer_token()}"),)
        request = leads_pb2.GetFormRequest(name=name).SerializeToString()
        try:
            answer = await self._channels.call("leads", _PATH, request, metadata, 5.0, again=True)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise NotFound(name[:80]) from error
            raise
        if len(self._known) > _MOST:
            self._known.clear()
        form = leads_pb2.Form.FromString(answer)
        self._known[name] = (clock.monotonic() + _KEPT, form)
        return form
