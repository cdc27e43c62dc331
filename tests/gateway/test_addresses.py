"""Addresses derived from the protos, and how request paths find them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.doors.addresses import SERVICES, Book, Match, Variable, addresses, http_rule, methods, parse_template
from gateway.doors.transcoder import json_path


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(addresses(methods()))


def test_every_method_with_an_http_option_and_no_other_has_an_address(book: Book) -> None:
    public = {m.full_name for every in SERVICES.values() for d in every for m in d.methods if http_rule(m) is not None}
    assert {a.method.descriptor.full_name for a in book.addresses} == public
    assert not any(a.method.rule.peer for a in book.addresses)
    assert len(public) > 40


@pytest.mark.parametrize(
    ("verb", "path", "method", "values"),
    [
        ("POST", "/v1/leads:capture", "CaptureLead", {}),
        ("GET", "/v1/leads/7", "GetLead", {"name": "leads/7"}),
        ("PATCH", "/v1/leads/7", "UpdateLead", {"lead.name": "leads/7"}),
        ("POST", "/v1/leads/7:contact", "ContactLead", {"name": "leads/7"}),
        ("GET", "/v1/leads/7/touchpoints", "ListTouchpoints", {"parent": "leads/7"}),
        ("GET", "/v1/leads/7/decisions", "ListDecisions", {"parent": "leads/7"}),
        ("POST", "/v1/people/7:setPresence", "SetPresence", {"name": "people/7"}),
        ("POST", "/v1/forms/booth:submit", "SubmitForm", {"form": "forms/booth"}),
        ("GET", "/v1/ledgers/regions/%E5%8D%8E", "GetLedger", {"name": "ledgers/regions/华"}),
        ("DELETE", "/v1/sessions/current", "DeleteSession", {}),
        ("GET", "/v1/blueprint", "GetBlueprint", {}),
        ("POST", "/v1/blueprint:apply", "ApplyBlueprint", {}),
        ("GET", "/v1/leads/a%3Ab", "GetLead", {"name": "leads/a:b"}),
    ],
)
def test_a_request_finds_its_method(book: Book, verb: str, path: str, method: str, values: dict[str, str]) -> None:
    found = book.find(verb, path)
    assert isinstance(found, Match)
    assert (found.address.method.name, dict(found.values)) == (method, values)


@pytest.mark.parametrize("path", ["/v1/leads/", "/v1/leads//touchpoints", "/v1", "/", "", "/v2/leads", "/v1/leads/7/x"])
def test_what_is_no_address_finds_nothing(book: Book, path: str) -> None:
    assert book.find("GET", path) == []


@given(st.text(min_size=1, max_size=30).filter(lambda s: s.isprintable()))
def test_every_address_is_found_again_by_what_it_was_made_of(ident: str) -> None:
    from urllib.parse import quote

    for address in addresses(methods()):
        path, expected = "", {}
        for part in address.parts:
            if isinstance(part, Variable):
                prefix = part.pattern.rstrip("*")
                path += prefix + quote(ident, safe="")
                expected[part.field] = prefix + ident
            else:
                path += part
        found = _BOOK.find(address.verb, path)
        assert isinstance(found, Match)
        assert (found.address.template, dict(found.values)) == (address.template, expected)


_BOOK = Book(addresses(methods()))


def test_a_template_names_its_parts() -> None:
    parts, regex = parse_template("/v1/{lead.name=leads/*}:contact")
    assert parts == ["/v1/", Variable("lead.name", "leads/*"), ":contact"]
    assert regex.match("/v1/leads/7:contact")
    assert not regex.match("/v1/leads/7:contact:contact")
    assert not regex.match("/v1/leads/7/8:contact")


@pytest.fixture
def named(book: Book) -> Any:
    return lambda name: next(a for a in book.addresses if a.method.name == name)


@pytest.mark.parametrize(
    ("method", "path", "written"),
    [
        ("CaptureLead", "lead.full_name", "lead.fullName"),
        ("CaptureLead", "lead.custom.my_key.x_y", "lead.custom.my_key.x_y"),
        ("BatchCaptureLeads", "requests[3].lead.capture_time", "requests[3].lead.captureTime"),
        ("CreatePerson", "person.capacity.per_day", "capacity.perDay"),
        ("CreatePerson", "person", "person"),
        ("CreatePerson", "request_id", "requestId"),
        ("UpdatePolicy", "policy.content.steps[2].radius_km", "content.steps[2].radius_km"),
        ("ListLeads", "order_by", "orderBy"),
        ("CaptureLead", "", ""),
        ("CaptureLead", "unheard_of.x", "unheard_of.x"),
    ],
)
def test_a_violation_is_told_by_the_path_the_client_wrote(named: Any, method: str, path: str, written: str) -> None:
    assert json_path(named(method), path) == written
