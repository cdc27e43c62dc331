"""What services are told of somebody for whom they do something while he is away."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Scope, peer
from dealwright.directory.v1 import directory_pb2 as pb


def test_B41_a_service_learns_what_somebody_may_do_now_and_where_mail_reaches_him(house: Any) -> None:
    made = house.add("li", role="manager", email="li@example.cn")
    found = house.by(peer("reports")).ResolvePerson(name=made.name)
    assert (found.principal.person, found.principal.role, found.email) == (made.name, "manager", "li@example.cn")
    assert not found.principal.session
    grants = {one.resource: one for one in found.principal.grants}
    assert (grants["opportunities"].read, grants["reports"].export) == (Scope.TEAM, Scope.ALL)
    house.admin.UpdatePerson(person=pb.Person(name=made.name, role="sales"), update_mask=FieldMask(paths=["role"]))
    assert house.by(peer("reports")).ResolvePerson(name=made.name).principal.role == "sales"


def test_B41_of_one_who_has_left_a_service_learns_nothing(house: Any) -> None:
    made = house.add("li")
    house.admin.UpdatePerson(
        person=pb.Person(name=made.name, state=pb.Person.LEFT), update_mask=FieldMask(paths=["state"])
    )
    for name in (made.name, f"people/{0:032x}"):
        with pytest.raises(Exception, match="NOT_FOUND"):
            house.by(peer("reports")).ResolvePerson(name=name)
