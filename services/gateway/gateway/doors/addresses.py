"""Which address leads to which RPC: derived from the protos' google.api.http options, nothing is listed twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from google.api import annotations_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message import Message

from dealwright.activities.v1 import activities_pb2, files_pb2, notices_pb2
from dealwright.api.v1 import access_pb2, file_pb2
from dealwright.contracts.v1 import approvals_pb2, contracts_pb2, quotes_pb2
from dealwright.customers.v1 import customers_pb2, view_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.gateway.v1 import gateway_pb2
from dealwright.leads.v1 import imports_pb2, leads_pb2
from dealwright.opportunities.v1 import opportunities_pb2
from dealwright.reports.v1 import alerts_pb2, costs_pb2, exports_pb2, reports_pb2, targets_pb2
from dealwright.rules.v1 import rules_pb2

Descriptor = Any  # protobuf's descriptors have no usable static types across versions

SERVICES: Mapping[str, Sequence[Descriptor]] = {
    "directory": (directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],),
    "leads": (
        leads_pb2.DESCRIPTOR.services_by_name["LeadService"],
        imports_pb2.DESCRIPTOR.services_by_name["ImportService"],
    ),
    "rules": (rules_pb2.DESCRIPTOR.services_by_name["RuleService"],),
    "customers": (
        customers_pb2.DESCRIPTOR.services_by_name["CustomerService"],
        view_pb2.DESCRIPTOR.services_by_name["CustomerViewService"],
    ),
    "opportunities": (opportunities_pb2.DESCRIPTOR.services_by_name["OpportunityService"],),
    "activities": (
        activities_pb2.DESCRIPTOR.services_by_name["ActivityService"],
        files_pb2.DESCRIPTOR.services_by_name["FileService"],
        notices_pb2.DESCRIPTOR.services_by_name["NoticeService"],
    ),
    "contracts": (
        quotes_pb2.DESCRIPTOR.services_by_name["QuoteService"],
        approvals_pb2.DESCRIPTOR.services_by_name["ApprovalService"],
        contracts_pb2.DESCRIPTOR.services_by_name["ContractService"],
    ),
    "reports": (
        reports_pb2.DESCRIPTOR.services_by_name["ReportService"],
        targets_pb2.DESCRIPTOR.services_by_name["TargetService"],
        costs_pb2.DESCRIPTOR.services_by_name["CostService"],
        alerts_pb2.DESCRIPTOR.services_by_name["AlertService"],
        exports_pb2.DESCRIPTOR.services_by_name["ExportService"],
    ),
    "gateway": (gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"],),
}
"""Where each public service lives, and the descriptors of what it serves."""


@dataclass(frozen=True)
class Method:
    """One public RPC. `path` is its gRPC address, "/dealwright.leads.v1.LeadService/GetLead"."""

    service: str
    descriptor: Descriptor
    path: str
    request: type[Message]
    response: type[Message]
    rule: access_pb2.Access
    idempotent: bool

    @property
    def name(self) -> str:
        return str(self.descriptor.name)

    @property
    def takes_file(self) -> bool:
        """Whether a file comes with the request, in `content`, under a `file_name`."""
        fields = self.descriptor.input_type.fields_by_name
        content = fields.get("content")
        return content is not None and content.type == F.TYPE_BYTES and "file_name" in fields

    @property
    def gives_file(self) -> bool:
        """Whether the answer is a file, and over HTTP its bytes alone."""
        return bool(self.descriptor.output_type.full_name == file_pb2.File.DESCRIPTOR.full_name)


@dataclass(frozen=True)
class Variable:
    """A part of an address that goes into a field: "{lead.name=leads/*}" is Variable("lead.name", "leads/*")."""

    field: str
    pattern: str


@dataclass(frozen=True)
class Address:
    """One way to call an RPC over HTTP. `body`: "*", a field's name, or "" for none."""

    verb: str
    template: str
    parts: Sequence[str | Variable]
    regex: re.Pattern[str]
    body: str
    method: Method

    @property
    def variables(self) -> list[Variable]:
        return [part for part in self.parts if isinstance(part, Variable)]


_VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=([^}]*))?\}")


def parse_template(template: str) -> tuple[list[str | Variable], re.Pattern[str]]:
    """The parts of a google.api.http path, and a pattern for undecoded request paths.

    `*` is one segment, `**` any number; neither takes a colon, so that a verb is never part of a name.
    """
    parts: list[str | Variable] = []
    regex, at = "", 0
    for found in _VARIABLE.finditer(template):
        literal = template[at : found.start()]
        if literal:
            parts.append(literal)
            regex += re.escape(literal)
        variable = Variable(found[1], found[2] or "*")
        parts.append(variable)
        regex += "(" + "".join(_piece(piece) for piece in re.split(r"(\*\*|\*)", variable.pattern)) + ")"
        at = found.end()
    if template[at:]:
        parts.append(template[at:])
        regex += re.escape(template[at:])
    return parts, re.compile(regex + r"\Z")


def _piece(piece: str) -> str:
    return {"**": "[^:]+", "*": "[^/:]+"}.get(piece, re.escape(piece))


def http_rule(descriptor: Descriptor) -> Any:
    """The method's google.api.http option, or None."""
    options = descriptor.GetOptions()
    return options.Extensions[annotations_pb2.http] if options.HasExtension(annotations_pb2.http) else None


def first_template(descriptor: Descriptor) -> str:
    """The address that a public method has before its additional ones."""
    rule = http_rule(descriptor)
    return str(getattr(rule, rule.WhichOneof("pattern")))


def methods(services: Mapping[str, Sequence[Descriptor]] = SERVICES) -> list[Method]:
    """The public RPCs: those with an http option."""
    found = []
    for service, descriptor in ((s, d) for s, descriptors in services.items() for d in descriptors):
        for method in descriptor.methods:
            rule = http_rule(method)
            if rule is None:
                continue
            found.append(
                Method(
                    service,
                    method,
                    f"/{descriptor.full_name}/{method.name}",
                    message_factory.GetMessageClass(method.input_type),
                    message_factory.GetMessageClass(method.output_type),
                    method.GetOptions().Extensions[access_pb2.access],
                    rule.WhichOneof("pattern") == "get",
                )
            )
    return found


def addresses(known: Iterable[Method]) -> list[Address]:
    found = []
    for method in known:
        rule = http_rule(method.descriptor)
        for one in [rule, *rule.additional_bindings]:
            verb = one.WhichOneof("pattern")
            template = getattr(one, verb)
            parts, regex = parse_template(template)
            found.append(Address(verb.upper(), template, tuple(parts), regex, one.body, method))
    return found


@dataclass(frozen=True)
class Match:
    """`values` are the decoded texts of the variables, by field path."""

    address: Address
    values: Mapping[str, str]


class Book:
    """All addresses, to be looked up. A literal address comes before one with variables."""

    def __init__(self, known: Sequence[Address]) -> None:
        self.addresses = tuple(known)
        self._literal: dict[str, list[Address]] = {}
        self._patterns: dict[str, list[Address]] = {}
        for address in known:
            if address.variables:
                self._patterns.setdefault(_shelf(_example(address)), []).append(address)
            else:
                self._literal.setdefault(address.template, []).append(address)

    def find(self, verb: str, raw_path: str) -> Match | list[str]:
        """The match for an undecoded path, or the verbs that the path would take (none: there is no such path)."""
        allowed: list[str] = []
        for address in self._literal.get(raw_path, ()):
            if address.verb == verb:
                return Match(address, {})
            allowed.append(address.verb)
        for address in self._patterns.get(_shelf(raw_path), ()):
            found = address.regex.match(raw_path)
            if found is None:
                continue
            if address.verb != verb:
                allowed.append(address.verb)
                continue
            try:
                texts = [unquote_to_bytes(text).decode() for text in found.groups()]
            except UnicodeDecodeError:
                return []
            names = [variable.field for variable in address.variables]
            return Match(address, dict(zip(names, texts, strict=True)))
        return sorted(set(allowed))


def _example(address: Address) -> str:
    return "".join(part if isinstance(part, str) else part.pattern for part in address.parts)


def _shelf(path: str) -> str:
    """The collection of an address: "/v1/leads/7:contact" stands on the shelf "leads"."""
    pieces = path.split("/", 3)
    return pieces[2] if len(pieces) > 2 else ""
