"""Calls in. The contract is written down here, because no proto should exist for a test alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import Message

from chassis.database import insert_rows, to_micros
from chassis.errors import Invalid, NotFound, Problem, already_exists
from chassis.rpc import Call, Item, batch_command, batch_of, command, outside, query
from chassis.transaction import Transaction
from dealwright.api.v1 import access_pb2
from dealwright.leads.v1.events_pb2 import LeadTouched
from tests.conformance.probe import notes

_CONTRACT = """
name: "dealwright/probe/v1/probe.proto" package: "dealwright.probe.v1" syntax: "proto3"
dependency: "dealwright/api/v1/access.proto"
message_type { name: "Note" options { [dealwright.api.v1.resource]: "notes" }
  field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "text" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "phone" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL } }
message_type { name: "PutRequest"
  field { name: "request_id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "note" number: 2 type: TYPE_MESSAGE type_name: ".dealwright.probe.v1.Note" label: LABEL_OPTIONAL } }
message_type { name: "PutResponse"
  field { name: "note" number: 1 type: TYPE_MESSAGE type_name: ".dealwright.probe.v1.Note" label: LABEL_OPTIONAL }
  field { name: "error" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } }
message_type { name: "PutManyRequest"
  field { name: "requests" number: 1 type: TYPE_MESSAGE type_name: ".dealwright.probe.v1.PutRequest"
          label: LABEL_REPEATED } }
message_type { name: "Notes"
  field { name: "notes" number: 1 type: TYPE_MESSAGE type_name: ".dealwright.probe.v1.Note" label: LABEL_REPEATED }
  field { name: "results" number: 2 type: TYPE_MESSAGE type_name: ".dealwright.probe.v1.PutResponse"
          label: LABEL_REPEATED } }
service { name: "ProbeService"
  %s }
"""
_METHODS = {
    "Put": ("PutRequest", "PutResponse", 'resource: "notes" verb: WRITE'),
    "Keep": ("PutRequest", "PutResponse", 'resource: "notes" verb: WRITE'),
    "KeepMany": ("PutManyRequest", "Notes", 'resource: "notes" verb: WRITE'),
    "List": ("PutRequest", "Notes", 'resource: "notes" verb: READ'),
    "ForAnybody": ("PutRequest", "PutResponse", "anonymous: true"),
    "ForPeers": ("PutRequest", "PutResponse", "peer: true"),
    "ForMyself": ("PutRequest", "PutResponse", "self: true"),
    "Closed": ("PutRequest", "PutResponse", ""),
}


def _declare() -> Any:
    methods = "\n".join(
        f'method {{ name: "{name}" input_type: ".dealwright.probe.v1.{request}"'
        f' output_type: ".dealwright.probe.v1.{response}"'
        f" options {{ [dealwright.api.v1.access] {{ {rule} }} }} }}"
        for name, (request, response, rule) in _METHODS.items()
    )
    assert access_pb2.DESCRIPTOR.name == "dealwright/api/v1/access.proto"
    pool = descriptor_pool.Default()
    file = text_format.Parse(_CONTRACT % methods, descriptor_pb2.FileDescriptorProto(), descriptor_pool=pool)
    pool.Add(file)
    return pool.FindFileByName(file.name)


DESCRIPTOR = _declare()
Note, PutRequest, PutResponse, PutManyRequest, Notes = (
    message_factory.GetMessageClass(DESCRIPTOR.message_types_by_name[name])
    for name in ("Note", "PutRequest", "PutResponse", "PutManyRequest", "Notes")
)


def _checked(call: Call[Any]) -> Any:
    if not call.request.note.name:
        raise Invalid([("note.name", "is required", "必填")])
    return call.request.note


def _obey(text: str) -> None:
    word, _, argument = text.partition(" ")
    if word == "sleep":
        time.sleep(float(argument))
    if word == "fail":
        raise RuntimeError("asked to fail for 13800138000")
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)


def _split(request: Any) -> Sequence[Message]:
    found: Sequence[Message] = request.requests
    return found


def _join(answers: Sequence[Message | Problem]) -> Message:
    return Notes(results=[PutResponse(error=a.reason) if isinstance(a, Problem) else a for a in answers])


class ProbeServicer:
    descriptor = DESCRIPTOR.services_by_name["ProbeService"]

    @command
    def Put(self, tx: Transaction, request: Any) -> Message:
        note = request.note
        if not note.name:
            raise Invalid([("note.name", "is required", "必填")])
        if tx.execute(sa.select(notes.c.name).where(notes.c.name == note.name)).first():
            raise already_exists("note.name", note.name)
        tx.execute(sa.insert(notes).values(name=note.name, text=note.text, phone=note.phone, batch=to_micros(tx.now)))
        tx.audit("note.put", note.name, {"fields": ["text", "phone"]})
        tx.emit(LeadTouched(lead=note.name))
        _obey(note.text)
        return PutResponse(note=note)

    @batch_command(prepare=_checked)
    def Keep(self, tx: Transaction, items: Sequence[Item[Any]]) -> Sequence[Message | Problem]:
        """A text "refuse" is refused alone, "constraint" breaks the whole statement."""
        answers: list[Message | Problem] = []
        rows = []
        for item in items:
            note = item.value
            if note.text == "refuse":
                answers.append(NotFound(note.name))
                continue
            rows.append((note.name, None if note.text == "constraint" else note.text, note.phone, to_micros(tx.now)))
            answers.append(PutResponse(note=note))
        tx.origins = {item.value.name: item.call.origin for item in items}
        for name, _, _, _ in rows:
            tx.emit(LeadTouched(lead=name))
            tx.audit("note.kept", name)
        insert_rows(tx.connection, notes, ("name", "text", "phone", "batch"), sorted(rows))
        for item in items:
            _obey(item.value.text)
        return answers

    @batch_of("Keep", split=_split, join=_join, most=100)
    def KeepMany(self) -> None: ...

    @query
    def List(self, tx: Transaction, request: Any) -> Message:
        rows = tx.execute(sa.select(notes).where(notes.c.name.startswith(request.note.name)).order_by(notes.c.name))
        _obey(request.note.text)
        return Notes(notes=[Note(name=r.name, text=r.text, phone=r.phone) for r in rows])

    @outside
    def ForAnybody(self, call: Call[Any]) -> Message:
        return PutResponse(note=call.request.note)

    @outside
    def ForPeers(self, call: Call[Any]) -> Message:
        return PutResponse(note=call.request.note)

    @outside
    def ForMyself(self, call: Call[Any]) -> Message:
        return PutResponse(note=call.request.note)

    @outside
    def Closed(self, call: Call[Any]) -> Message:
        return PutResponse(note=call.request.note)
