"""What other systems recorded: once, put right, deleted and brought back."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Stale
from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.activities.v1.events_pb2 import InteractionChanged, InteractionRecorded
from tests.activities.desk import LI, WANG, refused
from tests.activities.office import Office, ago, at


def interaction(desk: Office, record: str, who: Any = LI, **fields: Any) -> pb.Interaction:
    given = {"kind": pb.Interaction.ORDER, "system": "shop", "external_id": "4711", **fields}
    if "happen_time" in given:
        given["happen_time"] = at(given["happen_time"])
    request = pb.CreateInteractionRequest(interaction=pb.Interaction(record=record, **given))
    made: pb.Interaction = desk.call("CreateInteraction", request, who)
    return made


def test_I22_what_other_systems_know_is_recorded_once(desk: Office) -> None:
    customer = desk.customer()
    first = interaction(desk, customer, happen_time=ago(days=2), title="订单 4711")
    again = interaction(desk, customer, title="订单 4711，改")
    assert again == first
    interaction(desk, customer, system="imap", kind=pb.Interaction.MAIL)
    assert [one.system for one in desk.call("ListInteractions", pb.ListInteractionsRequest()).interactions] == [
        "imap",
        "shop",
    ]
    assert len(desk.announced(InteractionRecorded)) == 2
    assert len(desk.timeline(customer)) == 2
    assert desk.call("GetInteraction", pb.GetInteractionRequest(name=first.name), LI) == first
    for who in (WANG,):
        with refused("NOT_FOUND"):
            desk.call("GetInteraction", pb.GetInteractionRequest(name=first.name), who)
    with refused("NOT_FOUND"):
        interaction(desk, desk.customer("people/wang"), external_id="9")
    with refused("INVALID", "interaction.happen_time"):
        interaction(desk, customer, external_id="9", happen_time=ago(hours=-1))
    with refused("INVALID", "interaction.kind", "interaction.system", "interaction.external_id"):
        interaction(desk, customer, kind=0, system="", external_id="")


def test_I22_what_was_recorded_is_put_right_deleted_and_brought_back(desk: Office) -> None:
    customer = desk.customer()
    made = interaction(desk, customer, title="订单", detail={"sum": 1})

    def put(*paths: str, who: Any = LI, **fields: Any) -> pb.Interaction:
        given = pb.Interaction(name=made.name, **fields)
        request = pb.UpdateInteractionRequest(interaction=given, update_mask=FieldMask(paths=paths))
        put: pb.Interaction = desk.call("UpdateInteraction", request, who)
        return put

    now = put("title", "text", title="订单 4711", text="加急", etag=made.etag)
    assert (now.title, now.text, now.detail["sum"], now.external_id) == ("订单 4711", "加急", 1, made.external_id)
    with pytest.raises(Stale) as stale:
        put("title", title="x", etag=made.etag)
    assert [(one.field, one.value) for one in stale.value.changes] == [("text", "加急"), ("title", "订单 4711")]
    (entry,) = desk.timeline(customer)
    assert entry.detail["title"] == "订单 4711"
    for path in ("record", "system", "external_id", "owner"):
        with refused("INVALID", f"update_mask.{path}"):
            put(path, **{path: "x"})
    with refused("INVALID", "interaction.happen_time"):
        put("happen_time")
    with refused("NOT_FOUND"):
        put("title", who=WANG, title="x")

    desk.announced()
    desk.call("DeleteInteraction", pb.DeleteInteractionRequest(name=made.name), LI)
    assert desk.timeline(customer) == []

    def listed(**asked: Any) -> int:
        return len(desk.call("ListInteractions", pb.ListInteractionsRequest(**asked)).interactions)

    assert (listed(), listed(show_deleted=True)) == (0, 1)
    again = interaction(desk, customer, title="订单，又来")
    assert (again.name, again.title, again.HasField("delete_time")) == (made.name, "订单 4711", True)
    assert desk.timeline(customer) == []
    back = desk.call("UndeleteInteraction", pb.UndeleteInteractionRequest(name=made.name), LI)
    assert (back.title, back.HasField("delete_time")) == ("订单 4711", False)
    assert len(desk.timeline(customer)) == 1
    with refused("NOT_DELETED"):
        desk.call("UndeleteInteraction", pb.UndeleteInteractionRequest(name=made.name), LI)
    assert [one.deleted for one in desk.announced(InteractionChanged)] == [True, False]
    assert not desk.announced(InteractionRecorded)
