"""What the owners of records say of them: all pages of their lists, asked of the services' own servicers over the
databases that are here, as a service asks that may see everything; and what they announced, which they keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import message_factory
from google.protobuf.message import Message

from chassis import history
from chassis.access import peer
from chassis.bus.subscriptions import decode
from chassis.service import Runtime
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch

_PAGE = 200


class Owners:
    """`runtimes` by the services' names."""

    def __init__(self, runtimes: Mapping[str, Runtime]) -> None:
        self._runtimes = runtimes
        self._servicers: dict[str, list[Any]] = {}

    def all(self, service: str, method: str, **asked: Any) -> Iterator[Any]:
        """Every record that a list of this service has."""
        token = ""
        while True:
            answer = self._ask(service, method, {**asked, "page_size": _PAGE, "page_token": token})
            parts = [part for part in answer.DESCRIPTOR.fields if part.message_type is not None and part.is_repeated]
            yield from getattr(answer, parts[0].name)
            token = answer.next_page_token
            if not token:
                return

    def told(self, service: str, *types: type[Message]) -> Iterator[tuple[Any, Envelope]]:
        """Every event of these types that the service ever announced, with its envelope."""
        names = [kind.DESCRIPTOR.full_name for kind in types]
        after, more = "", True
        while more:
            with self._runtimes[service].reading() as tx:
                page = history.page(tx, names, after, history.MOST)
            for message in page.messages:
                after = message.id
                for envelope in EventBatch.FromString(message.body).events:
                    yield decode(envelope), envelope
            more = page.more

    def _ask(self, service: str, method: str, fields: Mapping[str, Any]) -> Any:
        runtime = self._runtimes[service]
        if service not in self._servicers:
            self._servicers[service] = list(runtime.service.servicers(runtime))
        servicer = next(one for one in self._servicers[service] if method in one.descriptor.methods_by_name)
        kind = servicer.descriptor.methods_by_name[method].input_type
        known = {name: value for name, value in fields.items() if name in kind.fields_by_name}
        request = message_factory.GetMessageClass(kind)(**known)
        with runtime.reading(peer("reports")) as tx:
            return getattr(servicer, method)(tx, request)
