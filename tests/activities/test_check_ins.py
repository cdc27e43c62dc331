"""Visits and their proofs, and templates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.latlng_pb2 import LatLng

from chassis.errors import Stale
from dealwright.activities.v1 import events_pb2, notices_pb2
from dealwright.activities.v1 import files_pb2 as pb
from tests.activities.desk import ADMIN, Desk, refused
from tests.activities.samples import PDF, PNG
from tests.activities.test_attachments import CUSTOMER, upload

HERE = LatLng(latitude=31.2304, longitude=121.4737)

pytestmark = pytest.mark.usefixtures("known_records")


def proofs(desk: Desk) -> dict[str, Any]:
    pictures = {"photo": PNG, "signature": PNG + b"signed"}
    return {field: upload(desk, data, kind=field, file_name=f"{field}.png").name for field, data in pictures.items()}


def visit(desk: Desk, **fields: Any) -> pb.CheckIn:
    request = pb.CreateCheckInRequest(check_in=pb.CheckIn(**fields))
    made: pb.CheckIn = desk.call("CreateCheckIn", request, ADMIN)
    return made


def test_E7_E8_a_visit_is_proven_by_place_photo_and_signature_and_announced(desk: Desk) -> None:
    shown = proofs(desk)
    desk.announced()
    then = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
    given = pb.CheckIn(record=CUSTOMER, location=HERE, address="上海市人民大道1号", note="见到总经理", **shown)
    given.happen_time.FromDatetime(then)
    made = desk.call("CreateCheckIn", pb.CreateCheckInRequest(check_in=given), ADMIN)
    for field, value in given.ListFields():
        assert getattr(made, field.name) == value, field.name
    assert (made.customer, made.owner) == (CUSTOMER, "people/admin")
    changed, told = desk.announced()
    assert changed == events_pb2.CheckInChanged(check_in=made, version=1)
    assert told == events_pb2.CheckedIn(check_in=made)
    assert desk.call("GetCheckIn", pb.GetCheckInRequest(name=made.name), ADMIN) == made


@pytest.mark.parametrize("missing", ["location", "photo", "signature"])
def test_E7_a_visit_without_one_of_its_proofs_is_none(desk: Desk, missing: str) -> None:
    given = {"record": CUSTOMER, "location": HERE, **proofs(desk)}
    del given[missing]
    with refused("INVALID", f"check_in.{missing}"):
        visit(desk, **given)
    with refused("INVALID", "check_in.record", "check_in.location", "check_in.photo", "check_in.signature"):
        visit(desk)


def test_E7_proofs_are_pictures_of_the_same_record_and_places_are_on_this_earth(desk: Desk) -> None:
    shown = proofs(desk)
    paper = upload(desk, PDF, kind="photo").name
    elsewhere = upload(desk, PNG, record=f"customers/{9:032x}", file_name="a.png").name
    for wrong in (paper, elsewhere, f"attachments/{9:032x}"):
        with refused("INVALID", "check_in.photo"):
            visit(desk, record=CUSTOMER, location=HERE, **{**shown, "photo": wrong})
    for latitude in (90.1, float("nan")):
        with refused("INVALID", "check_in.location"):
            visit(desk, record=CUSTOMER, location=LatLng(latitude=latitude), **shown)


def test_E7_the_note_of_a_visit_is_put_right_and_where_it_was_stays(desk: Desk) -> None:
    shown = proofs(desk)
    made = visit(desk, record=CUSTOMER, location=HERE, note="旧", address="一号楼", **shown)

    def put(*paths: str, **fields: Any) -> pb.CheckIn:
        given = pb.CheckIn(name=made.name, **fields)
        request = pb.UpdateCheckInRequest(check_in=given, update_mask=FieldMask(paths=paths))
        put: pb.CheckIn = desk.call("UpdateCheckIn", request, ADMIN)
        return put

    now = put("note", note="新", etag=made.etag)
    assert (now.note, now.address, now.photo, now.location, now.etag) == ("新", "一号楼", made.photo, HERE, "2")
    sharper = upload(desk, PNG + b"sharper", kind="photo", file_name="b.png").name
    assert put("photo", photo=sharper).photo == sharper
    with pytest.raises(Stale) as stale:
        put("note", note="x", etag=made.etag)
    assert [(one.field, one.value) for one in stale.value.changes] == [("note", "新"), ("photo", sharper)]
    for path in ("location", "happen_time", "record", "owner"):
        with refused("INVALID", f"update_mask.{path}"):
            put(path)
    for wrong in ("", f"attachments/{9:032x}"):
        with refused("INVALID", "check_in.signature"):
            put("signature", signature=wrong)


def test_E7_visits_are_listed_by_when_they_were_deleted_and_brought_back(desk: Desk) -> None:
    shown = proofs(desk)
    late, early = pb.CheckIn(record=CUSTOMER, location=HERE, **shown), pb.CheckIn()
    early.CopyFrom(late)
    late.happen_time.FromDatetime(datetime(2026, 5, 2, tzinfo=UTC))
    early.happen_time.FromDatetime(datetime(2026, 5, 1, tzinfo=UTC))
    first, second = (
        desk.call("CreateCheckIn", pb.CreateCheckInRequest(check_in=one), ADMIN).name for one in (late, early)
    )

    def listed(**request: Any) -> list[str]:
        found = desk.call("ListCheckIns", pb.ListCheckInsRequest(**request), ADMIN).check_ins
        return [one.name for one in found]

    assert listed() == [first, second]
    assert listed(filter='happen_time < "2026-05-01T12:00:00Z"') == [second]
    desk.announced()
    desk.call("DeleteCheckIn", pb.DeleteCheckInRequest(name=first), ADMIN)
    assert (listed(), listed(show_deleted=True)) == ([second], [first, second])
    assert desk.call("UndeleteCheckIn", pb.UndeleteCheckInRequest(name=first), ADMIN).etag == "3"
    with refused("NOT_DELETED"):
        desk.call("UndeleteCheckIn", pb.UndeleteCheckInRequest(name=first), ADMIN)
    assert [one.deleted for one in desk.announced(events_pb2.CheckInChanged)] == [True, False]
    assert listed() == [first, second]


def template(desk: Desk, **fields: Any) -> notices_pb2.Template:
    given = notices_pb2.Template(**{"display_name": "方案", "kind": "DOCUMENT", **fields})
    made: notices_pb2.Template = desk.call("CreateTemplate", notices_pb2.CreateTemplateRequest(template=given), ADMIN)
    return made


def change(desk: Desk, name: str, **fields: Any) -> notices_pb2.Template:
    request = notices_pb2.UpdateTemplateRequest(template=notices_pb2.Template(name=name, **fields))
    changed: notices_pb2.Template = desk.call("UpdateTemplate", request, ADMIN)
    return changed


def test_O27_a_template_is_kept_changed_deleted_and_brought_back(desk: Desk) -> None:
    made = template(desk, subject_zh="致{{ customer }}", body_en="Dear {{customer}},\n{{title}}")
    assert desk.call("GetTemplate", notices_pb2.GetTemplateRequest(name=made.name), ADMIN) == made
    changed = change(desk, made.name, etag=made.etag, kind="MAIL", body_zh="您好")
    assert (changed.kind, changed.body_zh, changed.subject_zh) == (2, "您好", "致{{ customer }}")
    with refused("STALE"):
        change(desk, made.name, etag=made.etag, body_zh="晚了")
    with refused("ALREADY_EXISTS"):
        template(desk)
    desk.call("DeleteTemplate", notices_pb2.DeleteTemplateRequest(name=made.name), ADMIN)
    again = template(desk)
    undelete = notices_pb2.UndeleteTemplateRequest(name=made.name)
    with refused("ALREADY_EXISTS"):
        desk.call("UndeleteTemplate", undelete, ADMIN)
    change(desk, again.name, display_name="另一个")
    assert desk.call("UndeleteTemplate", undelete, ADMIN).body_zh == "您好"
    listed = desk.call(
        "ListTemplates", notices_pb2.ListTemplatesRequest(filter="kind = MAIL", order_by="create_time desc"), ADMIN
    ).templates
    assert listed[0].name == made.name


def test_O27_a_template_has_only_places_that_can_be_filled_and_its_own_attachments(desk: Desk) -> None:
    with refused("INVALID", "template.body_zh"):
        template(desk, body_zh="{{password}}")
    with refused("INVALID", "template.display_name", "template.kind"):
        template(desk, display_name="", kind=0)
    with refused("INVALID", "template.attachments"):
        template(desk, attachments=[f"attachments/{1:032x}"])
    made = template(desk)
    foreign = upload(desk).name
    with refused("INVALID", "template.attachments"):
        change(desk, made.name, attachments=[foreign])
    own = upload(desk, record=made.name).name
    assert change(desk, made.name, attachments=[own]).attachments == [own]


def test_O27_a_template_is_rendered_for_a_record(desk: Desk) -> None:
    made = template(desk, subject_zh="{{record}} {{owner}}", body_zh="{{today}}{{ title }}")
    request = notices_pb2.RenderTemplateRequest(name=made.name, record=CUSTOMER)
    found = desk.call("RenderTemplate", request, ADMIN)
    assert found.subject_zh.startswith(CUSTOMER)
    assert found.body_zh.startswith("20")
    with refused("INVALID", "record"):
        desk.call("RenderTemplate", notices_pb2.RenderTemplateRequest(name=made.name, record="x"), ADMIN)


def test_E7_one_picture_is_not_two_proofs(desk: Desk) -> None:
    shown = proofs(desk)
    again = upload(desk, PNG, kind="signature", file_name="again.png").name
    for same in (shown["photo"], again):
        with refused("INVALID", "check_in.photo", "check_in.signature"):
            visit(desk, record=CUSTOMER, location=HERE, **{**shown, "signature": same})
    made = visit(desk, record=CUSTOMER, location=HERE, **shown)
    given = pb.CheckIn(name=made.name, photo=shown["signature"])
    with refused("INVALID", "check_in.photo", "check_in.signature"):
        request = pb.UpdateCheckInRequest(check_in=given, update_mask=FieldMask(paths=["photo"]))
        desk.call("UpdateCheckIn", request, ADMIN)


def test_E7_a_picture_on_which_a_visit_rests_stays_as_long_as_the_visit(desk: Desk) -> None:
    shown = proofs(desk)
    made = visit(desk, record=CUSTOMER, location=HERE, **shown)

    def drop(name: str) -> None:
        desk.call("DeleteAttachment", pb.DeleteAttachmentRequest(name=name), ADMIN)

    for name in shown.values():
        with refused("EVIDENCE"):
            drop(name)
    other = upload(desk, PNG, kind="photo", file_name="other.png").name
    drop(other)
    desk.call("DeleteCheckIn", pb.DeleteCheckInRequest(name=made.name), ADMIN)
    drop(shown["photo"])
    with refused("INVALID", "check_in.photo"):
        desk.call("UndeleteCheckIn", pb.UndeleteCheckInRequest(name=made.name), ADMIN)
    desk.call("UndeleteAttachment", pb.UndeleteAttachmentRequest(name=shown["photo"]), ADMIN)
    desk.call("UndeleteCheckIn", pb.UndeleteCheckInRequest(name=made.name), ADMIN)
    with refused("EVIDENCE"):
        drop(shown["photo"])
