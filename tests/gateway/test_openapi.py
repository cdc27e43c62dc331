"""The OpenAPI document: valid, complete, and true."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from google.protobuf.message import Message
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi import schemas as schemathesis_schemas

from dealwright.leads.v1 import leads_pb2
from gateway.doors import batches, openapi, problems
from gateway.doors.addresses import addresses, methods
from gateway.wire import json_writer


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(addresses(methods()))


def test_every_public_method_is_one_operation(document: dict[str, Any]) -> None:
    found = [op["operationId"] for verbs in document["paths"].values() for op in verbs.values()]
    further = [f for f in found if f not in {m.name for m in methods()}]
    assert sorted(set(found) - set(further)) == sorted(m.name for m in methods())
    assert len(found) == len(set(found)), "each operation has an id of its own"
    assert sorted(further) == ["ListTimersOfCustomers", "ListTimersOfOpportunities"], "a method's other addresses"


def test_it_is_a_valid_openapi_3_1_document(document: dict[str, Any]) -> None:
    from schemathesis.openapi import from_dict

    assert document["openapi"].startswith("3.1")
    assert isinstance(from_dict(document), schemathesis_schemas.OpenApiSchema)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    refs = set(_refs(document))
    assert refs <= {f"#/components/schemas/{n}" for n in document["components"]["schemas"]} | {
        "#/components/responses/Problem"
    }
    assert {f"#/components/schemas/{n}" for n in document["components"]["schemas"]} <= refs


def _refs(part: Any) -> Any:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from _refs(value)
    elif isinstance(part, list):
        for value in part:
            yield from _refs(value)


def full(message: Message, depth: int = 4) -> Message:
    """A message with something in every field."""
    from google.protobuf.descriptor import FieldDescriptor as F

    for field in message.DESCRIPTOR.fields:
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            getattr(message, field.name)["people/1"] = (
                "x" if kind.fields_by_name["value"].cpp_type == field.CPPTYPE_STRING else 1
            )
        elif kind is not None and kind.full_name == "google.protobuf.Struct":
            getattr(message, field.name).update({"a": [1, None, "x", {"b": True}]})
        elif kind is not None and kind.full_name == "google.protobuf.FieldMask":
            getattr(message, field.name).paths.append("a_b")
        elif kind is not None and depth:
            part = getattr(message, field.name)
            full(part.add() if field.is_repeated else part, depth - 1)
            if not field.is_repeated:
                part.SetInParent()
        elif kind is None:
            number = field.enum_type.values[-1].number if field.enum_type else 1
            value: Any = {F.CPPTYPE_STRING: "x", F.CPPTYPE_BOOL: True}.get(field.cpp_type, number)
            if field.type == F.TYPE_BYTES:
                value = b"x"
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message


@pytest.mark.parametrize("fill", [True, False], ids=["full", "empty"])
@pytest.mark.parametrize("name", [m.name for m in methods() if not m.gives_file])
def test_whatever_a_method_answers_fits_its_schema(document: dict[str, Any], name: str, fill: bool) -> None:
    method = next(m for m in methods() if m.name == name)
    message = full(method.response()) if fill else method.response()
    plain = json_writer.write(message)
    if batches.is_batch(method.descriptor):
        for result in plain.get("results", ()):
            result["error"]["status"] = 409
        problems.localize_rows(plain, "en", "r", lambda index, field: field)  # as the gateway completes each row
    operation = next(op for v in document["paths"].values() for op in v.values() if op["operationId"] == name)
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(plain, {**schema, "components": document["components"]})


def test_what_a_request_may_hold_is_told_and_nothing_else(document: dict[str, Any]) -> None:
    validate = Draft202012Validator(
        {"$ref": "#/components/schemas/CaptureLeadRequest", "components": document["components"]}
    )
    assert validate.is_valid({"requestId": "r", "lead": {"phone": "1", "channel": "API", "ownerVersion": "7"}})
    wrongs: list[Any] = [{"lead": {"channel": "PIGEON"}}, {"lead": {"fone": "1"}}, {"lead": {"tags": "x"}}, []]
    for wrong in wrongs:
        assert not validate.is_valid(wrong)


def test_comments_of_the_protos_are_the_descriptions(document: dict[str, Any]) -> None:
    capture = document["paths"]["/v1/leads:capture"]["post"]
    assert capture["description"].startswith("Records a contact")
    assert "leads.write" in capture["description"]
    assert "DUPLICATE" in capture["responses"]["409"]["description"]
    assert document["components"]["schemas"]["Person"]["properties"]["password"]["writeOnly"] is True
    assert "E.164" in document["components"]["schemas"]["Lead"]["properties"]["phone"]["description"]


def test_each_error_is_told_once_at_its_own_status(document: dict[str, Any]) -> None:
    said = {
        (operation["operationId"], status): answer["description"]
        for path in document["paths"].values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
        if "description" in answer
    }
    duplicate = "FAILED_PRECONDITION DUPLICATE where the setting `hard_reject_duplicates` is on."
    assert said["CaptureLead", "409"] == duplicate
    assert said["UpdateTeam", "400"] == "INVALID_ARGUMENT when the parent would make a cycle."
    assert said["UpdateTeam", "409"] == "ABORTED when the etag is stale; ALREADY_EXISTS when the name is taken."
    for where, text in said.items():
        parts = [part.strip(" .") for part in text.split(";")]
        assert len(parts) == len(set(parts)), (where, text)
        words = text.split()
        thirds = [tuple(words[n : n + 6]) for n in range(len(words) - 5)]
        assert len(thirds) == len(set(thirds)), (where, text)


def test_open_methods_need_no_session_and_the_others_do(document: dict[str, Any]) -> None:
    assert document["security"] == [{"session": []}]
    assert document["paths"]["/v1/sessions"]["post"]["security"] == []
    assert document["paths"]["/v1/forms/{form}:submit"]["post"]["security"] == []
    assert "security" not in document["paths"]["/v1/leads"]["get"]


def test_what_stands_in_the_address_is_not_asked_for_again(document: dict[str, Any]) -> None:
    assert "/v1/opportunities/{opportunity}:win" in document["paths"]
    assert not [path for path in document["paths"] if re.search(r"(ie|s)\}", path)]
    contact = document["paths"]["/v1/leads/{lead}:contact"]["post"]
    assert [p["name"] for p in contact["parameters"]] == ["lead"]
    assert "name" not in document["components"]["schemas"]["ContactLeadRequest"]["properties"]
    update = document["paths"]["/v1/people/{person}"]["patch"]
    assert {p["name"] for p in update["parameters"]} == {"person", "updateMask", "requestId"}


# What is deleted for good, and why.
FOR_GOOD = {"/v1/sessions/current": "signed out: who wants another signs in again"}


def test_whatever_can_be_deleted_is_shown_where_that_is_asked_for_and_can_be_undeleted(
    document: dict[str, Any],
) -> None:
    paths = document["paths"]
    deleted = {path for path, verbs in paths.items() if "delete" in verbs}
    assert deleted >= FOR_GOOD.keys() | {"/v1/forms/{form}", "/v1/teams/{team}", "/v1/calendars/{calendar}"}
    assert {path.removesuffix(":undelete") for path in paths if path.endswith(":undelete")} == deleted - FOR_GOOD.keys()
    for path in sorted(deleted - FOR_GOOD.keys()):
        for reading in (paths[path.rpartition("/")[0]]["get"], paths[path]["get"]):
            assert "showDeleted" in {p["name"] for p in reading["parameters"]}, path
        answers = [paths[path]["delete"], paths[f"{path}:undelete"]["post"], paths[path]["get"]]
        shown = [a["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] for a in answers]
        assert len(set(shown)) == 1, (path, shown)
        record = document["components"]["schemas"][shown[0].rpartition("/")[2]]
        assert {"deleteTime", "etag"} <= record["properties"].keys(), path


def test_messages_of_one_name_in_two_services_are_kept_apart(document: dict[str, Any]) -> None:
    assert {"leads.Location", "directory.Location"} <= set(document["components"]["schemas"])


def test_the_page_is_self_contained(admin: Any) -> None:
    page = admin("GET", "/docs")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "http" not in page.text
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert admin("GET", "/docs.js").headers["Content-Type"].startswith("text/javascript")
    assert "http" not in admin("GET", "/pages.css").text


def test_the_front_page_speaks_both_languages(admin: Any) -> None:
    assert "服务已启动" in admin("GET", "/", headers={"Accept-Language": "zh-CN"}).text
    assert "It is running" in admin("GET", "/", headers={"Accept-Language": "en"}).text


def test_no_example_that_fits_the_schema_is_an_error_of_ours_and_every_answer_is_described(
    admin: Any, world: Any, gateway: Any
) -> None:
    """Schemathesis over every operation, with services that answer full messages."""
    import schemathesis
    from hypothesis import HealthCheck, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    responses = {m.name: m.response for m in methods()}
    for name, response in responses.items():
        if name not in ("GetBlueprint", "ApplyBlueprint", "BatchCaptureLeads", "DeleteSession"):
            world.on(name, lambda call, response=response: full(response()))
    world.on("BatchCaptureLeads", lambda call: leads_pb2.BatchCaptureLeadsResponse())
    schema = schemathesis.openapi.from_dict(admin("GET", "/openapi.json").json())
    schema.config.update(base_url=gateway.url)
    wanted = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
              checks.response_schema_conformance]  # fmt: skip
    tried = 0
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if operation.definition.raw["operationId"] == "DeleteSession":
            continue

        @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(
                headers={"Authorization": "Bearer admin/fuzz/head"}, checks=wanted, session=admin.session
            )

        send()
    assert tried > 200
