"""OpenAPI 3.1 of the public surface, from the same descriptors as the routes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dealwright.api.v1 import access_pb2
from gateway.doors import problems, uploads, web_forms
from gateway.doors.addresses import Address, Variable, first_template
from gateway.doors.schemas import PROBLEM, Schemas
from gateway.wire.comments import comments

_CODE = re.compile(r"\b(" + "|".join(problems.HTTP_STATUS) + r")\b")
_ALWAYS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT: the fields that are wrong are named.",
    401: "UNAUTHENTICATED: no session, or one that has ended.",
    403: "PERMISSION_DENIED: the role lacks the right.",
    404: "NOT_FOUND: there is none, or none that the caller may see.",
    409: "ABORTED or FAILED_PRECONDITION: not possible at this moment.",
    429: "RESOURCE_EXHAUSTED: too many requests; Retry-After says when to try again.",
    500: "INTERNAL: an error of ours.",
    503: "UNAVAILABLE: a service is away; try again.",
    504: "DEADLINE_EXCEEDED: not done in time; try again.",
}
_FIELDS_OF_A_PAGE: Mapping[str, Any] = {
    "type": "object",
    "description": "The fields of the form by name (`fullName`, `phone`, `custom.colour`), as a page sends them.",
    "additionalProperties": {"type": "string"},
}
_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_SESSION = {"type": "http", "scheme": "bearer", "description": "The token of POST /v1/sessions."}
_ABOUT = (
    "Dealwright takes a sales contact from the badge scan to the bank transfer.\n\n"
    "Sign in with `POST /v1/sessions` and send the token as `Authorization: Bearer <token>`. Repeat a call safely by "
    "its `requestId`: the first answer comes again. `GET /v1/feed` (not below: it never ends) is a stream of "
    "server-sent events, resumable by `Last-Event-ID`. Messages for people follow `Accept-Language` (zh-CN, en)."
)


def document(addresses: Sequence[Address]) -> dict[str, Any]:
    schemas = Schemas(
        descriptor
        for address in addresses
        for descriptor in (address.method.descriptor.input_type, address.method.descriptor.output_type)
    )
    paths: dict[str, dict[str, Any]] = {}
    for address in addresses:
        template, parameters = _path(address)
        paths.setdefault(template, {})[address.verb.lower()] = _operation(address, parameters, schemas)
    services = {a.method.service: a.method.descriptor.containing_service for a in addresses}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dealwright",
            "version": "1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"session": []}],
        "tags": [{"name": name, "description": comments().get(d.full_name, "")} for name, d in services.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "description": "The token of POST /v1/sessions."}
            },
            "responses": {"Problem": _problem("What went wrong.")},
            "schemas": dict(sorted(schemas.components.items())),
        },
    }


def _path(address: Address) -> tuple[str, list[dict[str, Any]]]:
    """ "/v1/{lead.name=leads/*}:contact" as "/v1/leads/{lead}:contact" with its parameters."""
    written, parameters = "", []
    for part in address.parts:
        if not isinstance(part, Variable):
            written += part
            continue
        collection, star, rest = part.pattern.partition("*")
        word = collection.strip("/").rpartition("/")[2] or part.field
        name = _singular(word)
        written += f"{collection}{{{name}}}"
        parameters.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": f"The part of the name after `{collection}`.",
                "schema": {"type": "string", "minLength": 1, "pattern": "^[^/:]+$"},
            }
        )
        assert star, part
        assert rest in ("", "*"), part
    return written, parameters


def _singular(word: str) -> str:
    """ "opportunities" as "opportunity"."""
    if word == "people":
        return "person"
    return f"{word.removesuffix('ies')}y" if word.endswith("ies") else word.removesuffix("s")


def _operation(address: Address, parameters: list[dict[str, Any]], schemas: Schemas) -> dict[str, Any]:
    method = address.method
    descriptor = method.descriptor
    about = comments().get(descriptor.full_name, "")
    bound = frozenset(variable.field.split(".")[0] for variable in address.variables)
    operation: dict[str, Any] = {
        "operationId": method.name + _whose(address),
        "tags": [method.service],
        "summary": re.sub(r"([a-z])([A-Z])", lambda m: f"{m[1]} {m[2].lower()}", method.name),
        "description": "\n\n".join(filter(None, [about, _right(method.rule)])),
        "parameters": parameters + _query(address, bound, schemas),
    }
    if method.rule.anonymous:
        operation["security"] = []
    if address.body:
        operation["requestBody"] = _body(address, bound, schemas)
    operation["responses"] = _responses(address, about, schemas)
    return operation


def _whose(address: Address) -> str:
    """What tells a method's further addresses from its first: "OfCustomers" for /v1/{parent=customers/*}/timers."""
    if address.template == first_template(address.method.descriptor):
        return ""
    collection = address.variables[0].pattern.split("/")[0]
    return f"Of{collection[0].upper()}{collection[1:]}"


def _right(rule: access_pb2.Access) -> str:
    if rule.anonymous:
        return "Open to everybody."
    if rule.self:
        return "For every signed-in person."
    return f"Needs the right `{rule.resource}.{access_pb2.Access.Verb.Name(rule.verb).lower()}`."


def _query(address: Address, bound: frozenset[str], schemas: Schemas) -> list[dict[str, Any]]:
    fields = address.method.descriptor.input_type.fields
    if address.body == "*":
        if address.method.name != "ApplyBlueprint":
            return []
        fields = [field for field in fields if field.name != "content"]  # for a document that is sent by itself
    found = []
    for field in fields:
        if field.name in bound or field.name == address.body:
            continue
        schema = schemas.field(field)
        parameter = {"name": field.json_name, "in": "query", "schema": schema}
        if text := schema.pop("description", ""):
            parameter["description"] = text
        found.append(parameter)
    return found


def _body(address: Address, bound: frozenset[str], schemas: Schemas) -> dict[str, Any]:
    request = address.method.descriptor.input_type
    if address.body == "*":
        schema = schemas.of(request, without=bound)
    else:
        schema = schemas.of(request.fields_by_name[address.body].message_type)
    body: dict[str, Any] = {"required": address.body != "*", "content": {"application/json": {"schema": schema}}}
    if address.method.name == "ApplyBlueprint":
        body["required"] = True
        body["content"]["application/yaml"] = {"schema": {"type": "object"}}
    if address.method.takes_file:
        body["content"][uploads.MULTIPART] = {"schema": _parts(request, bound, schemas)}
    if address.method.name == "SubmitForm":
        body["content"] |= {kind: {"schema": _FIELDS_OF_A_PAGE} for kind in (web_forms.URLENCODED, web_forms.MULTIPART)}
    return body


def _parts(request: Any, bound: frozenset[str], schemas: Schemas) -> dict[str, Any]:
    """The same request as a form: what is no text is written as in JSON."""
    left = bound | {"content", "file_name", "content_type"}
    fields = {field.json_name: schemas.field(field) for field in request.fields if field.name not in left}
    file = {"type": "string", "format": "binary", "description": "The file, under its name."}
    return {"type": "object", "required": [uploads.FILE], "properties": {**fields, uploads.FILE: file}}


def _responses(address: Address, about: str, schemas: Schemas) -> dict[str, Any]:
    method = address.method
    texts: dict[int, str] = {status: text for status, text in _ALWAYS.items() if status not in (401, 403, 404, 409)}
    if not method.rule.anonymous:
        texts[401], texts[403] = _ALWAYS[401], _ALWAYS[403]
    if address.variables:
        texts[404] = _ALWAYS[404]
    if address.body:
        texts[413] = "The body is larger than it may be: 4 MB, or the largest file where one comes with it."
        texts[415] = "The body is not application/json."
    if address.verb != "GET":
        texts[409] = _ALWAYS[409]
    texts |= _own_errors(about)
    responses: dict[str, Any] = {"200": {"description": "Done."}}
    if method.gives_file:
        binary = {"schema": {"type": "string", "format": "binary"}}
        responses["200"] = {"description": "The file, as a download.", "content": {"*/*": binary}}
    else:
        responses["200"]["content"] = {"application/json": {"schema": schemas.of(method.descriptor.output_type)}}
    if method.name == "GetBlueprint":
        responses["200"]["content"]["application/yaml"] = {"schema": {"type": "object"}}
    if method.name == "SubmitForm":
        responses["200"]["content"]["text/html"] = {"schema": {"type": "string"}}
        responses["303"] = {"description": "Stored; a browser that sent it as a page does goes on to `thanksUrl`."}
    for status in sorted(texts):
        responses[str(status)] = _problem(texts[status])
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    return responses


def _own_errors(about: str) -> dict[int, str]:
    """What a method's comment says of its errors, by HTTP status: each clause once, at the status that it names."""
    clauses: dict[int, list[str]] = {}
    for sentence in re.split(r"(?<=[.;])\s+", about):
        found = list(_CODE.finditer(sentence))
        ends = [*(code.start() for code in found[1:]), len(sentence)]
        for code, end in zip(found, ends, strict=False):
            clause = sentence[code.start() : end].rstrip(" ,;.(")
            if clause.count(")") > clause.count("("):
                clause = clause.removesuffix(")")
            clauses.setdefault(problems.HTTP_STATUS[code[1]], []).append(clause)
    return {status: "; ".join(dict.fromkeys(said)) + "." for status, said in clauses.items()}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    return {"description": description, "content": {problems.MEDIA_TYPE: {"schema": schema}}}
