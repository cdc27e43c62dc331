"""Forms that were deleted: closed to visitors, and back within 30 days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.access import ANONYMOUS
from chassis.errors import NotFound, Refused, Stale
from dealwright.leads.v1 import leads_pb2
from leads.domain import form as domain
from leads.main import service
from tests.leads.desk import ADMIN, Desk
from tests.leads.test_forms import Part, make, plain, submit


def _deleted(desk: Desk, **fields: Any) -> leads_pb2.Form:
    gone: leads_pb2.Form = desk.call("DeleteForm", leads_pb2.DeleteFormRequest(name="forms/contact", **fields))
    return gone


def _back(desk: Desk) -> leads_pb2.Form:
    form: leads_pb2.Form = desk.call("UndeleteForm", leads_pb2.UndeleteFormRequest(name="forms/contact"))
    return form


def _read(desk: Desk, method: str, request: Any, who: Any = ADMIN) -> Any:
    with desk.runtime.reading(who) as tx:
        return getattr(desk.servicer, method)(tx, request)


def test_L4_a_deleted_form_takes_nothing_and_tells_visitors_nothing_until_it_is_back(desk: Desk) -> None:
    made = make(desk)
    gone = _deleted(desk, etag=made.etag)
    assert gone.HasField("delete_time")
    with pytest.raises(NotFound):
        submit(desk, full_name="王", phone="13812345678")
    describe = leads_pb2.DescribeFormRequest(name=made.name)
    with pytest.raises(NotFound):
        _read(desk, "DescribeForm", describe, ANONYMOUS)
    assert desk.count("leads") == 0
    made.etag = "3"
    assert _back(desk) == made
    assert _read(desk, "DescribeForm", describe, ANONYMOUS).name == made.name
    submit(desk, full_name="王", phone="13812345678")
    assert desk.count("leads") == 1


def test_a_deleted_form_is_seen_by_who_asks_for_it_and_keeps_its_id(desk: Desk) -> None:
    made = make(desk)
    with pytest.raises(Refused, match="not deleted"):
        _back(desk)
    gone = _deleted(desk)
    get = leads_pb2.GetFormRequest(name=made.name)
    with pytest.raises(NotFound):
        _read(desk, "GetForm", get)
    assert not _read(desk, "ListForms", leads_pb2.ListFormsRequest()).forms
    assert list(_read(desk, "ListForms", leads_pb2.ListFormsRequest(show_deleted=True)).forms) == [gone]
    get.show_deleted = True
    assert _read(desk, "GetForm", get) == gone
    for method, request in (
        ("UpdateForm", leads_pb2.UpdateFormRequest(form=leads_pb2.Form(name=made.name, display_name="x"))),
        ("DeleteForm", leads_pb2.DeleteFormRequest(name=made.name)),
    ):
        with pytest.raises(NotFound):
            desk.call(method, request)
    with pytest.raises(Refused, match="deleted") as taken:
        make(desk)
    assert (taken.value.code, taken.value.reason) == ("ALREADY_EXISTS", "ALREADY_EXISTS")
    with pytest.raises(Stale):
        _deleted(desk, etag=_back(desk).etag + "0")


def test_a_deleted_form_is_gone_for_good_after_30_days(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    make(desk)
    _deleted(desk)
    (errand,) = (loop for loop in service.loops() if loop.name == "end what was deleted 30 days ago")
    real = clock.now
    for days, kept in ((29, 1), (31, 0)):
        monkeypatch.setattr(clock, "now", lambda days=days: real() + timedelta(days=days))
        with desk.runtime.transaction() as tx:
            errand.run(tx)
        assert desk.count("forms") == kept
    with pytest.raises(NotFound):
        _back(desk)
    assert make(desk).etag == "1"


def test_a_form_comes_back_only_where_there_is_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    make(desk)
    _deleted(desk)
    monkeypatch.setattr(domain, "MOST_FORMS", 0)
    with pytest.raises(Refused) as full:
        _back(desk)
    assert full.value.reason == "TOO_MANY_FORMS"


def test_L22_the_blueprint_leaves_deleted_forms_out_and_brings_back_what_it_names(desk: Desk) -> None:
    part = Part(desk)
    make(desk)
    whole = plain(part.get())
    _deleted(desk)
    now = part.get()
    assert (plain(now)["forms"], now.version) == ({}, 2)
    assert part.apply(plain(now), 2).version == 3
    with desk.runtime.reading(ADMIN) as tx:
        asked = leads_pb2.GetFormRequest(name="forms/contact", show_deleted=True)
        assert desk.servicer.GetForm(tx, asked).etag == "2", "what was deleted stays so"
    whole["forms"]["contact"]["displayName"] = "联系"
    assert list(part.plan(whole)) == ["forms.contact"]
    assert plain(part.apply(whole, 3))["forms"]["contact"]["displayName"] == "联系"
    submit(desk, full_name="王", phone="13812345678")
    part.apply({"forms": {}}, 4)
    with pytest.raises(NotFound):
        submit(desk, full_name="王", phone="13812345678")
    assert _back(desk).display_name == "联系"
