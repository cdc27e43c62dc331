"""Files on records: kept once, found again, changed, deleted and brought back, and gone when nobody refers to them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.usecases import purging, storing
from dealwright.activities.v1 import events_pb2
from dealwright.activities.v1 import files_pb2 as pb
from tests.activities.desk import ADMIN, Desk, later, refused
from tests.activities.samples import PDF, PNG, SVG

CUSTOMER = f"customers/{1:032x}"

pytestmark = pytest.mark.usefixtures("known_records")


def upload(desk: Desk, data: bytes = PDF, who: Any = ADMIN, **fields: str) -> pb.Attachment:
    asked = {"record": CUSTOMER, "kind": "contract", "file_name": "合同.pdf", **fields}
    made: pb.Attachment = desk.call("CreateAttachment", pb.CreateAttachmentRequest(content=data, **asked), who)
    return made


def stored(desk: Desk) -> list[str]:
    """What lies in the store."""
    return sorted(path.name for path in (Path(desk.runtime.settings.data) / "files").rglob("*") if path.is_file())


def test_F2_C7_a_file_is_kept_on_its_record_and_given_out_as_it_came(desk: Desk) -> None:
    made = upload(desk, content_type="application/pdf")
    assert (made.record, made.customer, made.kind) == (CUSTOMER, CUSTOMER, "contract")
    assert (made.file_name, made.content_type, made.size_bytes) == ("合同.pdf", "application/pdf", len(PDF))
    assert (made.owner, made.etag) == ("people/admin", "1")
    assert desk.call("GetAttachment", pb.GetAttachmentRequest(name=made.name), ADMIN) == made
    file = desk.call("DownloadAttachment", pb.DownloadAttachmentRequest(name=made.name), ADMIN)
    assert (file.file_name, file.content_type, file.content) == ("合同.pdf", "application/pdf", PDF)
    changed, added = desk.announced()
    assert (type(changed), changed.attachment, changed.deleted) == (events_pb2.AttachmentChanged, made, False)
    assert (type(added), added.attachment) == (events_pb2.AttachmentAdded, made)


def test_F2_the_same_bytes_are_stored_once_and_a_repeated_request_is_one_attachment(desk: Desk) -> None:
    first, second = upload(desk), upload(desk, file_name="另一个.pdf")
    assert first.name != second.name
    assert stored(desk) == [first.sha256]
    repeated = [upload(desk, request_id="r1", file_name="x.pdf") for _ in range(2)]
    assert repeated[0] == repeated[1]
    assert len(desk.call("ListAttachments", pb.ListAttachmentsRequest(), ADMIN).attachments) == 3


def test_a_refused_file_leaves_nothing_behind(desk: Desk) -> None:
    with refused("INVALID", "content"):
        upload(desk, SVG, file_name="a.svg")
    with refused("INVALID", "record", "kind", "content"):
        upload(desk, b"", record="x", kind="A B")
    with refused("INVALID", "content"):
        upload(desk, PDF + bytes(desk.runtime.settings.max_upload_bytes))
    assert stored(desk) == []
    assert desk.announced() == []


def test_a_file_of_just_the_size_that_is_taken_is_taken(desk: Desk) -> None:
    most = desk.runtime.settings.max_upload_bytes
    made = upload(desk, PDF + b" " * (most - len(PDF)))
    assert made.size_bytes == most


def test_F2_lists_filter_by_record_and_kind(desk: Desk) -> None:
    contract, photo = upload(desk), upload(desk, PNG, kind="photo", file_name="a.png")
    other = upload(desk, record=f"opportunities/{2:032x}")

    def listed(filter: str, order: str = "") -> list[str]:
        request = pb.ListAttachmentsRequest(filter=filter, order_by=order)
        return [one.name for one in desk.call("ListAttachments", request, ADMIN).attachments]

    assert listed("") == [other.name, photo.name, contract.name]
    assert listed(f'record = "{CUSTOMER}" AND kind = "photo"') == [photo.name]
    assert listed('content_type = "application/pdf"', "create_time") == [contract.name, other.name]
    with refused("INVALID", "filter"):
        listed("secret = 1")


def test_a_kind_and_a_name_are_changed_and_nothing_else(desk: Desk) -> None:
    made = upload(desk)

    def change(etag: str = "", **fields: Any) -> pb.Attachment:
        request = pb.UpdateAttachmentRequest(attachment=pb.Attachment(name=made.name, etag=etag, **fields))
        changed: pb.Attachment = desk.call("UpdateAttachment", request, ADMIN)
        return changed

    changed = change(made.etag, kind="licence", file_name="执照.pdf")
    assert (changed.kind, changed.file_name, changed.etag) == ("licence", "执照.pdf", "2")
    with refused("STALE"):
        change(made.etag, kind="other")
    with refused("INVALID", "attachment.file_name"):
        change(file_name="a.exe")
    request = pb.UpdateAttachmentRequest(attachment=pb.Attachment(name=made.name, record="x"))
    request.update_mask.paths.append("record")
    with refused("INVALID", "update_mask.record"):
        desk.call("UpdateAttachment", request, ADMIN)


def test_a_deleted_attachment_comes_back_within_30_days_and_then_its_bytes_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, same = upload(desk), upload(desk, file_name="b.pdf")
    desk.announced()
    desk.call("DeleteAttachment", pb.DeleteAttachmentRequest(name=made.name), ADMIN)
    with refused("NOT_FOUND"):
        desk.call("DownloadAttachment", pb.DownloadAttachmentRequest(name=made.name), ADMIN)
    back = desk.call("UndeleteAttachment", pb.UndeleteAttachmentRequest(name=made.name), ADMIN)
    assert back.etag == "3"
    assert [type(one).__name__ for one in desk.announced()] == [
        *("AttachmentChanged", "AttachmentRemoved"),
        *("AttachmentChanged", "AttachmentAdded"),
    ]
    with refused("NOT_DELETED"):
        desk.call("UndeleteAttachment", pb.UndeleteAttachmentRequest(name=made.name), ADMIN)

    def end(name: str) -> None:
        desk.call("DeleteAttachment", pb.DeleteAttachmentRequest(name=name), ADMIN)
        with later(timedelta(days=31), monkeypatch):
            with desk.runtime.transaction() as tx:
                purging.purge(tx)
            storing.sweep(desk.runtime)

    end(made.name)
    assert stored(desk) == [made.sha256], "another refers to them"
    end(same.name)
    assert stored(desk) == []
    assert upload(desk).sha256 == made.sha256
    assert stored(desk) == [made.sha256]


def test_what_a_failed_upload_left_is_swept_after_a_day_and_what_is_referred_to_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = upload(desk)
    orphan = storing.stored(storing.opened(desk.runtime), PNG).sha256
    for folder in range(256):
        storing.sweep_folder(desk.runtime, folder)
    assert stored(desk) == sorted([kept.sha256, orphan]), "too young to be lost"
    with later(timedelta(days=2), monkeypatch):
        for folder in range(256):
            storing.sweep_folder(desk.runtime, folder)
    assert stored(desk) == [kept.sha256]


def test_bytes_that_a_sweep_took_between_storing_and_referring_are_stored_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = storing.stored

    def swept(store: Any, data: bytes) -> Any:
        found = real(store, data)
        store.remove(found.sha256)
        return found

    monkeypatch.setattr(storing, "stored", swept)
    made = upload(desk)
    assert desk.call("DownloadAttachment", pb.DownloadAttachmentRequest(name=made.name), ADMIN).content == PDF


def test_bytes_that_are_not_what_they_were_are_not_given_out(desk: Desk) -> None:
    made = upload(desk)
    (path,) = [p for p in (Path(desk.runtime.settings.data) / "files").rglob("*") if p.is_file()]
    assert oct(os.stat(path).st_mode)[-3:] == "600"
    path.write_bytes(PDF + b"x")
    with refused("CONTENT_LOST"):
        desk.call("DownloadAttachment", pb.DownloadAttachmentRequest(name=made.name), ADMIN)
