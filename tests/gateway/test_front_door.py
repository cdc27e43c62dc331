"""The gRPC front door for devices."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from chassis.errors import Invalid
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from dealwright.leads.v1 import leads_pb2, leads_pb2_grpc

ADMIN = (("authorization", "Bearer admin/root/head"),)
REQUEST = leads_pb2.CaptureLeadRequest(request_id="r", lead=leads_pb2.Lead(phone="1", full_name="王芳"))


def test_a_device_captures_with_its_session_and_the_service_sees_who(channel: grpc.Channel, world: Any) -> None:
    leads = leads_pb2_grpc.LeadServiceStub(channel)
    answer = leads.CaptureLead(REQUEST, metadata=ADMIN, timeout=5)
    assert answer.lead.full_name == "王芳"
    ((request, principal),) = world.calls("CaptureLead")
    assert request == REQUEST
    assert principal.person == "people/root"


def test_fields_that_the_gateway_does_not_know_pass_through(channel: grpc.Channel, world: Any) -> None:
    unknown = REQUEST.SerializeToString() + b"\xc2\x3e\x05later"  # field 1000, from a newer client
    raw: Any = channel.unary_unary("/dealwright.leads.v1.LeadService/CaptureLead")
    raw(unknown, metadata=ADMIN, timeout=5)
    ((request, _),) = world.calls("CaptureLead")
    assert request.SerializeToString() == unknown


def test_errors_keep_their_status_and_details(channel: grpc.Channel, world: Any) -> None:
    def refuse(call: Any) -> Any:
        raise Invalid([("lead.phone", "wrong", "不对")])

    world.on("CaptureLead", refuse)
    with pytest.raises(grpc.RpcError) as refused:
        leads_pb2_grpc.LeadServiceStub(channel).CaptureLead(REQUEST, metadata=ADMIN, timeout=5)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = rpc_status.from_call(refused.value)
    bad = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad) for detail in status.details)
    assert bad.field_violations[0].localized_message.message == "不对"


@pytest.mark.parametrize(
    "metadata", [(), (("authorization", "Bearer forged"),), (("authorization", "Basic x"),), (("authorization", ""),)]
)
def test_without_a_session_nobody_captures(channel: grpc.Channel, world: Any, metadata: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        leads_pb2_grpc.LeadServiceStub(channel).CaptureLead(REQUEST, metadata=metadata, timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert not world.calls("CaptureLead")


def test_an_internal_token_opens_nothing_here(channel: grpc.Channel, world: Any) -> None:
    from chassis.access import peer

    metadata = (("authorization", f"Bearer {world.tokens.sign(peer('leads'))}"),)
    with pytest.raises(grpc.RpcError) as refused:
        leads_pb2_grpc.LeadServiceStub(channel).CaptureLead(REQUEST, metadata=metadata, timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("path", "request_message"),
    [
        ("/dealwright.directory.v1.DirectoryService/ResolveSession", directory_pb2.ResolveSessionRequest(token="x")),
        ("/dealwright.blueprint.v1.BlueprintService/ApplyPart", blueprint_pb2.ApplyPartRequest()),
        ("/dealwright.leads.v1.LeadService/Nothing", leads_pb2.GetLeadRequest()),
    ],
)
def test_peers_methods_are_not_offered(channel: grpc.Channel, world: Any, path: str, request_message: Any) -> None:
    world.seen.clear()
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(path)(request_message.SerializeToString(), metadata=ADMIN, timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert not world.seen


def test_E11_a_right_that_is_missing_is_denied_and_reaches_no_handler(channel: grpc.Channel, world: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        leads_pb2_grpc.LeadServiceStub(channel).CaptureLead(
            REQUEST, metadata=(("authorization", "Bearer finance/f/x"),), timeout=5
        )
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert not world.calls("CaptureLead")


def test_bytes_that_are_no_message_are_the_callers_mistake(channel: grpc.Channel) -> None:
    raw: Any = channel.unary_unary("/dealwright.leads.v1.LeadService/CaptureLead")
    with pytest.raises(grpc.RpcError) as refused:
        raw(b"\xff\xff", metadata=ADMIN, timeout=5)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_callers_deadline_is_the_services_deadline(channel: grpc.Channel, world: Any) -> None:
    import threading

    hold = threading.Event()

    def wait(call: Any) -> Any:
        hold.wait(5)
        return leads_pb2.Lead()

    world.on("GetLead", wait)
    with pytest.raises(grpc.RpcError) as refused:
        leads_pb2_grpc.LeadServiceStub(channel).GetLead(
            leads_pb2.GetLeadRequest(name="leads/1"), metadata=ADMIN, timeout=0.3
        )
    hold.set()
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_the_gateways_own_service_is_behind_the_same_door(channel: grpc.Channel) -> None:
    blueprint = gateway_pb2_grpc.GatewayServiceStub(channel).GetBlueprint(
        gateway_pb2.GetBlueprintRequest(), metadata=ADMIN, timeout=5
    )
    assert set(blueprint.content.fields) == {"calendars", "roles", "forms", "policies", "version"}


def test_health_answers_without_a_session(channel: grpc.Channel) -> None:
    answer = health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(service="dealwright.leads.v1.LeadService"), timeout=5
    )
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
