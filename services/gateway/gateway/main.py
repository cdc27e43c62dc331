"""The gateway: REST, live feed and gRPC front door in `serve`, the feed's stream in `work`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.service import Runtime, Service
from gateway.storage.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chassis.bus.subscriptions import Subscription
    from gateway.doors.serving import Gateway
    from gateway.settings import GatewaySettings


def _servicers(runtime: Runtime) -> Sequence[Any]:
    from gateway.servicer import GatewayServicer

    return [GatewayServicer(runtime)]


def _subscribers() -> Sequence[Subscription]:
    from chassis.bus.subscriptions import subscriptions
    from gateway import subscribers

    return subscriptions(subscribers)


def _door(runtime: Runtime) -> Gateway:
    from gateway.doors.serving import Gateway
    from gateway.settings import GatewaySettings

    return Gateway(runtime, GatewaySettings())


service = Service("gateway", metadata, "gateway.migrations", servicers=_servicers, subscribers=_subscribers, door=_door)


def serve(runtime: Runtime, settings: GatewaySettings | None = None) -> Gateway:
    """Starts both doors in a thread of their own; the answer knows their ports and can be stopped.

    `runtime.peers` (or the environment) says where the services are; where "gateway" itself is not among them, its
    own servicer is started on a loopback port.
    """
    from gateway.doors.serving import Gateway
    from gateway.settings import GatewaySettings

    gateway = Gateway(runtime, settings or GatewaySettings())
    gateway.start()
    return gateway
