"""Public forms, and this service's part of the blueprint."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict

from chassis.access import ANONYMOUS
from chassis.errors import Invalid, NotFound, Refused, Stale
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads.servicer.leads import BlueprintServicer
from leads.storage import settings
from tests.leads.desk import ADMIN, Desk

FORM = leads_pb2.Form(
    display_name="联系我们",
    channel=leads_pb2.WEB_FORM,
    fields=["full_name", "phone", "text"],
    required_fields=["full_name"],
    region="上海市",
    tags=["site"],
    open=True,
    rate_per_minute=10,
)


def make(desk: Desk, **changes: Any) -> leads_pb2.Form:
    form = leads_pb2.Form()
    form.CopyFrom(FORM)
    for key, value in changes.items():
        form.ClearField(key)  # type: ignore[arg-type]
        form.MergeFrom(leads_pb2.Form(**{key: value}))
    made: leads_pb2.Form = desk.call("CreateForm", leads_pb2.CreateFormRequest(form=form, form_id="contact"))
    return made


def submit(desk: Desk, **fields: Any) -> leads_pb2.SubmitFormResponse:
    request = leads_pb2.SubmitFormRequest(form="forms/contact", lead=leads_pb2.Lead(**fields))
    answer: leads_pb2.SubmitFormResponse = desk.call("SubmitForm", request, ANONYMOUS)
    return answer


def wrong(call: Any, *values: Any, **named: Any) -> list[str]:
    with pytest.raises(Invalid) as problem:
        call(*values, **named)
    return [v.field for v in problem.value.violations]


def test_L4_a_visitor_sends_a_form_and_learns_only_that_it_arrived(desk: Desk) -> None:
    made = make(desk)
    assert (made.name, made.region, made.etag) == ("forms/contact", "上海", "1")
    thanks = submit(desk, full_name="王", phone="138 1234 5678", text="你好")
    (event,) = desk.announced()
    assert isinstance(event, events_pb2.LeadCaptured)
    assert (event.region, event.channel, list(event.tags), event.text) == ("上海", leads_pb2.WEB_FORM, ["site"], "你好")
    with desk.runtime.transaction() as tx:
        current, _ = settings.load(tx)
        settings.save(tx, type(current)(hard_reject_duplicates=True))
    # A known contact is answered alike, even where colleagues would be refused.
    assert submit(desk, full_name="王", phone="13812345678") == thanks
    assert (desk.count("leads"), desk.count("touchpoints")) == (1, 2)


def test_L4_a_form_takes_its_own_fields_alone_and_asks_for_what_it_must(desk: Desk) -> None:
    make(desk)
    assert wrong(submit, desk, phone="13812345678") == ["lead.full_name"]
    assert wrong(submit, desk, full_name="王", phone="12") == ["lead.phone"]
    fields = {"full_name": "王", "phone": "13812345678", "owner": "people/li", "company": "x"}
    assert wrong(submit, desk, **fields) == ["lead.company", "lead.owner"]
    assert desk.count("leads") == 0


def test_L4_a_closed_or_unknown_form_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        submit(desk, full_name="王", phone="13812345678")
    make(desk, open=False)
    with pytest.raises(NotFound):
        submit(desk, full_name="王", phone="13812345678")


def test_a_form_is_made_changed_listed_and_deleted(desk: Desk) -> None:
    made = make(desk)
    with pytest.raises(Refused) as taken:
        make(desk)
    assert taken.value.code == "ALREADY_EXISTS"
    for etag in ("", made.etag):
        form = leads_pb2.Form(name=made.name, open=False, etag=etag)
        request = leads_pb2.UpdateFormRequest(form=form, update_mask=FieldMask(paths=["open"]))
        changed = desk.call("UpdateForm", request)
        assert (changed.open, changed.display_name, changed.etag) == (False, "联系我们", "2")
        break
    with pytest.raises(Stale):
        desk.call("UpdateForm", leads_pb2.UpdateFormRequest(form=leads_pb2.Form(name=made.name, etag=made.etag)))
    with desk.runtime.reading(ADMIN) as tx:
        assert desk.servicer.GetForm(tx, leads_pb2.GetFormRequest(name=made.name)) == changed
        assert list(desk.servicer.ListForms(tx, leads_pb2.ListFormsRequest()).forms) == [changed]
        assert wrong(desk.servicer.ListForms, tx, leads_pb2.ListFormsRequest(page_token="x")) == ["page_token"]
    with pytest.raises(Stale):
        desk.call("DeleteForm", leads_pb2.DeleteFormRequest(name=made.name, etag="1"))
    desk.call("DeleteForm", leads_pb2.DeleteFormRequest(name=made.name, etag="2"))
    with desk.runtime.reading(ADMIN) as tx, pytest.raises(NotFound):
        desk.servicer.GetForm(tx, leads_pb2.GetFormRequest(name=made.name))


def test_L4_fields_are_called_as_json_calls_them_or_as_the_contract_does(desk: Desk) -> None:
    made = make(desk, fields=["fullName", "phone", "full_name"], required_fields=["fullName"])
    assert (list(made.fields), list(made.required_fields)) == (["full_name", "phone"], ["full_name"])
    assert wrong(submit, desk, phone="13812345678") == ["lead.full_name"]
    content = {"forms": {"booth": {"fields": ["fullName", "email"], "requiredFields": ["fullName"]}}}
    applied = plain(Part(desk).apply(content, 1))["forms"]["booth"]
    assert (applied["fields"], applied["requiredFields"]) == (["full_name", "email"], ["full_name"])


def test_L4_everybody_may_know_what_an_open_form_asks_for_and_no_more(desk: Desk) -> None:
    made = make(desk, fields=["fullName", "phone", "text", "custom"], allowed_origins=["https://www.example.com"])
    request = leads_pb2.DescribeFormRequest(name=made.name)
    with desk.runtime.reading(ANONYMOUS) as tx:
        said = desk.servicer.DescribeForm(tx, request)
    assert (said.name, said.display_name) == (made.name, "联系我们")
    found = [(f.name, f.label, f.label_zh, f.Input.Name(f.input), f.required, f.max_length) for f in said.fields]
    assert found == [
        ("fullName", "Name", "姓名", "TEXT", True, 128),
        ("phone", "Phone", "电话", "TEL", False, 64),
        ("text", "Message", "留言", "TEXTAREA", False, 8000),
        ("custom", "More", "其他信息", "OBJECT", False, 0),
    ]
    assert "上海" not in str(said)
    assert "example" not in str(said)
    desk.call("UpdateForm", leads_pb2.UpdateFormRequest(form=leads_pb2.Form(name=made.name, fields=["phone"])))
    with desk.runtime.reading(ANONYMOUS) as tx, pytest.raises(NotFound):
        desk.servicer.DescribeForm(tx, request)


def test_L4_a_form_names_the_sites_that_may_send_it_and_where_a_visitor_goes_afterwards(desk: Desk) -> None:
    origins = ["HTTPS://www.Example.com:443", "http://localhost:8080", "http://[::1]:80", "*"]
    made = make(desk, allowed_origins=origins, thanks_url="https://www.example.com/thanks?a=b#c")
    assert list(made.allowed_origins) == ["https://www.example.com", "http://localhost:8080", "http://[::1]", "*"]
    assert made.thanks_url == "https://www.example.com/thanks?a=b#c"
    part = Part(desk).get()
    assert plain(part)["forms"]["contact"]["allowedOrigins"] == list(made.allowed_origins)
    assert Part(desk).plan(plain(part)) == {}
    for name, values in (
        (
            "allowed_origins",
            ("www.example.com", "https://a.cn/", "https://a.cn/x", "null", "https://", "https://a b", ""),
        ),
        (
            "thanks_url",
            ("javascript:alert(1)", "/thanks", "https://u:p@a.cn", "https://a.cn/\r\nX: y", "https://a.cn/谢"),
        ),
    ):
        for value in values:
            given: dict[str, Any] = {name: [value] if name == "allowed_origins" else value}
            form = leads_pb2.Form(name=made.name, **given)
            request = leads_pb2.UpdateFormRequest(form=form, update_mask=FieldMask(paths=[name]))
            assert wrong(desk.call, "UpdateForm", request) == [f"form.{name}"], value


def test_a_wrong_form_names_its_fields(desk: Desk) -> None:
    assert wrong(make, desk, fields=["full_name"], required_fields=[]) == ["form.fields"]
    assert wrong(make, desk, required_fields=["email"]) == ["form.required_fields[0]"]
    assert wrong(make, desk, fields=["phone", "owner"], required_fields=[]) == ["form.fields[1]"]
    assert wrong(make, desk, channel=99) == ["form.channel"]
    assert wrong(make, desk, rate_per_minute=-1) == ["form.rate_per_minute"]
    request = leads_pb2.CreateFormRequest(form=FORM, form_id="A/b")
    assert wrong(desk.call, "CreateForm", request) == ["form_id"]


# --- the blueprint ---


def plain(part: blueprint_pb2.Part) -> dict[str, Any]:
    content: dict[str, Any] = MessageToDict(part.content)
    return content


class Part:
    """The blueprint's part, as plain data."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.servicer = BlueprintServicer()

    def get(self) -> blueprint_pb2.Part:
        with self.desk.runtime.reading(ADMIN) as tx:
            return self.servicer.GetPart(tx, blueprint_pb2.GetPartRequest())

    def plan(self, content: dict[str, Any]) -> dict[str, tuple[str, str]]:
        request = blueprint_pb2.PlanPartRequest()
        request.content.update(content)
        with self.desk.runtime.reading(ADMIN) as tx:
            return {c.path: (c.before, c.after) for c in self.servicer.PlanPart(tx, request).changes}

    def apply(self, content: dict[str, Any], version: int) -> blueprint_pb2.Part:
        request = blueprint_pb2.ApplyPartRequest(expected_version=version)
        request.content.update(content)
        with self.desk.runtime.transaction(ADMIN) as tx:
            return self.servicer.ApplyPart(tx, request)


def test_L22_settings_and_forms_are_read_planned_and_applied_as_data(desk: Desk) -> None:
    part = Part(desk)
    start = part.get()
    assert start.version == 0
    assert plain(start)["leads"]["hardRejectDuplicates"] is False
    wanted = {
        "leads": {"hardRejectDuplicates": True, "pickLimitPerDay": 3},
        "forms": {"booth": {"channel": "TRADE_SHOW", "fields": ["phone"]}},
    }
    planned = part.plan(wanted)
    assert planned["leads.hardRejectDuplicates"] == ("false", "true")
    assert planned["leads.pickLimitPerDay"] == ("10", "3")
    assert planned["forms.booth"][0] == ""
    assert len(planned) == 3
    assert part.get() == start
    applied = part.apply(wanted, 0)
    assert applied == part.get()
    assert applied.version == 1
    assert plain(applied)["leads"]["coolDownHours"] == 24
    assert part.plan(wanted) == {}
    # What is named is changed; forms that are left out of "forms" go.
    with pytest.raises(Stale):
        part.apply({"forms": {}}, 0)
    assert plain(part.apply({"forms": {}}, 1))["leads"]["pickLimitPerDay"] == 3
    assert plain(part.get())["forms"] == {}


def test_what_was_applied_can_be_applied_again_without_a_change(desk: Desk) -> None:
    part = Part(desk)
    make(desk)
    assert part.get().version == 1
    request = blueprint_pb2.PlanPartRequest(content=part.get().content)
    with desk.runtime.reading(ADMIN) as tx:
        assert not part.servicer.PlanPart(tx, request).changes
    form = desk.call(
        "UpdateForm", leads_pb2.UpdateFormRequest(form=FORM.__class__(name="forms/contact", fields=["phone"]))
    )
    assert (form.etag, part.get().version) == ("2", 2)


def test_a_wrong_blueprint_names_each_path_and_changes_nothing(desk: Desk) -> None:
    part = Part(desk)
    for content, paths in (
        ({"leads": {"pickLimitPerDay": -1, "nothing": 1}}, ["leads.pickLimitPerDay", "leads.nothing"]),
        ({"leads": {"hardRejectDuplicates": "yes", "coolDownHours": 1.5}}, None),
        ({"leads": {"receivingRoles": ["king"]}}, ["leads.receivingRoles"]),
        ({"leads": 1}, ["leads"]),
        ({"leads": {"coolDownHours": float("nan")}}, ["content"]),
        ({"boards": {}}, ["boards"]),
        ({"forms": []}, ["forms"]),
        ({"forms": {"X!": {"fields": ["phone"]}}}, ["forms.X!"]),
        ({"forms": {"a": {"fields": ["phone"], "colour": 1}}}, ["forms.a.colour"]),
        ({"forms": {"a": {"fields": [1]}}}, ["forms.a.fields"]),
        ({"forms": {"a": {"fields": 7}}}, ["forms.a.fields"]),
        ({"forms": {"a": {"fields": ["phone"], "tags": [1], "ratePerMinute": "x"}}}, None),
        ({"forms": {"a": {"fields": ["phone"], "channel": {}, "open": 1, "displayName": 3, "region": []}}}, None),
    ):
        for method in (part.plan, lambda given: part.apply(given, 0)):
            found = wrong(method, content)
            assert found
            assert paths is None or sorted(found) == sorted(paths)
    assert part.get().version == 0
