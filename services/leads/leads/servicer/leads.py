"""gRPC in: unpack, call, pack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis import clock, fields, problems
from chassis.errors import Invalid, Problem
from chassis.fields import FieldCheck
from chassis.rpc import Item, batch_command, batch_of, command, query
from chassis.transaction import Transaction
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.leads.v1 import leads_pb2
from leads.domain.attention import rule
from leads.domain.lead import Capture, Lead
from leads.usecases import blueprint, correct, deleting, forms, reading, rights, working
from leads.usecases import capture as capturing
from leads.usecases.capture import Arrival
from leads.wire import capture as capture_wire
from leads.wire import forms as form_wire
from leads.wire import lead as lead_wire
from leads.wire import update

_NOTE = 2000
_PERSON = re.compile(r"people/[A-Za-z0-9_-]{1,64}")
_THANKS = "谢谢，我们已收到，会尽快与您联系。Thank you, it arrived; we will contact you soon."


def _join(answers: Sequence[Any]) -> leads_pb2.BatchCaptureLeadsResponse:
    response = leads_pb2.BatchCaptureLeadsResponse()
    for answer in answers:
        if isinstance(answer, Problem):
            response.results.add(error=problems.problem(answer))
        else:
            response.results.add(lead=answer.lead, outcome=answer.outcome)
    return response


def _split(request: leads_pb2.BatchCaptureLeadsRequest) -> Sequence[leads_pb2.CaptureLeadRequest]:
    if not request.requests:
        raise Invalid([("requests", "at least one is required", "至少需要一条")])
    return request.requests


def _checked(request: Any, **texts: str) -> list[str]:
    """The texts a person wrote, normalised; names and ids checked. Raises Invalid."""
    check = FieldCheck()
    if request.request_id:
        check.take("request_id", fields.text, request.request_id, capture_wire.LONGEST_REQUEST_ID)
    read = [check.take(name, fields.text, value, _NOTE, multiline=True) or "" for name, value in texts.items()]
    if check.violations:
        raise Invalid(check.violations)
    return read


def _answer(tx: Transaction, lead: Lead) -> leads_pb2.Lead:
    return lead_wire.lead(lead, rule(tx.now))


class LeadServicer:
    """`time_zone` is the company's: it tells when a day of picking from the pool begins."""

    descriptor = leads_pb2.DESCRIPTOR.services_by_name["LeadService"]

    def __init__(self, time_zone: str) -> None:
        self._zone = clock.company_zone(time_zone)

    @batch_command(prepare=capture_wire.capture)
    def CaptureLead(self, tx: Transaction, items: Sequence[Item[Capture]]) -> list[Any]:
        arrivals = [Arrival(item.value, item.call.principal, item.call.origin) for item in items]
        captured = capturing.capture(tx, arrivals)
        cases = rule(tx.now)
        # A capture that made the lead may be answered with it: the caller brought all that is in it.
        seen = iter(
            rights.readable(
                tx,
                [
                    (arrival.principal, found.lead)
                    for arrival, found in zip(arrivals, captured, strict=True)
                    if not isinstance(found, Problem) and not found.created
                ],
            )
        )
        answers: list[Any] = []
        for found in captured:
            if isinstance(found, Problem):
                answers.append(found)
            elif found.created or next(seen):
                answers.append(lead_wire.captured(lead_wire.lead(found.lead, cases), found.created))
            else:
                answers.append(lead_wire.captured(lead_wire.outline(found.lead), found.created))
        return answers

    @batch_of("CaptureLead", split=_split, join=_join)
    def BatchCaptureLeads(self) -> None:
        """Up to 1 000 captures in the order of the request."""

    @command
    def SubmitForm(self, tx: Transaction, request: leads_pb2.SubmitFormRequest) -> leads_pb2.SubmitFormResponse:
        _checked(request)
        form = forms.open_form(tx, request.form)
        check = FieldCheck()
        form_wire.refuse_foreign(form, request.lead, check)
        sent = capture_wire.contact(request.lead, check, tx.now)
        if check.violations:
            raise Invalid(check.violations)
        forms.submit(tx, form, sent)
        return leads_pb2.SubmitFormResponse(message=_THANKS)

    @query
    def DescribeForm(self, tx: Transaction, request: leads_pb2.DescribeFormRequest) -> leads_pb2.FormDescription:
        return form_wire.description(forms.open_form(tx, request.name))

    @query
    def GetLead(self, tx: Transaction, request: leads_pb2.GetLeadRequest) -> leads_pb2.Lead:
        return _answer(tx, rights.find(tx, request.name, deleted=request.show_deleted))

    @query
    def ListLeads(self, tx: Transaction, request: leads_pb2.ListLeadsRequest) -> leads_pb2.ListLeadsResponse:
        found, token, total = reading.page(tx, request)
        cases = rule(tx.now)
        return leads_pb2.ListLeadsResponse(
            leads=[lead_wire.lead(lead, cases) for lead in found], next_page_token=token, total_size=total or 0
        )

    @query
    def SummarizeLeads(
        self, tx: Transaction, request: leads_pb2.SummarizeLeadsRequest
    ) -> leads_pb2.SummarizeLeadsResponse:
        rows = reading.summarize(tx, list(request.group_by), request.filter)
        return leads_pb2.SummarizeLeadsResponse(rows=[lead_wire.row(*row) for row in rows])

    @query
    def ListTouchpoints(
        self, tx: Transaction, request: leads_pb2.ListTouchpointsRequest
    ) -> leads_pb2.ListTouchpointsResponse:
        points, token = reading.chain(tx, request)
        return leads_pb2.ListTouchpointsResponse(
            touchpoints=[lead_wire.touchpoint(point) for point in points], next_page_token=token
        )

    @command
    def UpdateLead(self, tx: Transaction, request: leads_pb2.UpdateLeadRequest) -> leads_pb2.Lead:
        _checked(request)
        paths = update.paths(request)
        values = update.values(request, paths)
        return _answer(tx, correct.correct(tx, request.lead.name, request.lead.etag, paths, values))

    @command
    def DeleteLead(self, tx: Transaction, request: leads_pb2.DeleteLeadRequest) -> leads_pb2.Lead:
        _checked(request)
        return _answer(tx, deleting.delete(tx, request.name, request.etag))

    @command
    def UndeleteLead(self, tx: Transaction, request: leads_pb2.UndeleteLeadRequest) -> leads_pb2.Lead:
        _checked(request)
        return _answer(tx, deleting.undelete(tx, request.name))

    @command
    def ContactLead(self, tx: Transaction, request: leads_pb2.ContactLeadRequest) -> leads_pb2.Lead:
        (note,) = _checked(request, note=request.note)
        return _answer(tx, working.contact(tx, request.name, request.etag, note))

    @command
    def ClaimLead(self, tx: Transaction, request: leads_pb2.ClaimLeadRequest) -> leads_pb2.Lead:
        _checked(request)
        return _answer(tx, working.claim(tx, request.name, request.etag, self._zone))

    @command
    def QualifyLead(self, tx: Transaction, request: leads_pb2.QualifyLeadRequest) -> leads_pb2.Lead:
        (note,) = _checked(request, note=request.note)
        return _answer(tx, working.qualify(tx, request.name, request.etag, note, request.opportunity))

    @command
    def DisqualifyLead(self, tx: Transaction, request: leads_pb2.DisqualifyLeadRequest) -> leads_pb2.Lead:
        (reason,) = _checked(request, reason=request.reason)
        if not reason:
            raise Invalid([("reason", "is required", "必填")])
        return _answer(tx, working.disqualify(tx, request.name, request.etag, reason))

    @command
    def ReleaseLead(self, tx: Transaction, request: leads_pb2.ReleaseLeadRequest) -> leads_pb2.Lead:
        (reason,) = _checked(request, reason=request.reason)
        return _answer(tx, working.release(tx, request.name, request.etag, reason))

    @command
    def ReassignLead(self, tx: Transaction, request: leads_pb2.ReassignLeadRequest) -> leads_pb2.Lead:
        reason, owner = _checked(request, reason=request.reason, owner=request.owner)
        if owner and not _PERSON.fullmatch(owner):
            raise Invalid([("owner", 'must be "people/..."', "须为 “people/…”")])
        return _answer(tx, working.reassign(tx, request.name, request.etag, owner, reason))

    @command
    def CreateForm(self, tx: Transaction, request: leads_pb2.CreateFormRequest) -> leads_pb2.Form:
        _checked(request)
        check = FieldCheck()
        check.take("form_id", form_wire.form_id, request.form_id)
        values = form_wire.values(request.form, list(form_wire.FIELDS), check)
        if check.violations:
            raise Invalid(check.violations)
        return form_wire.form(forms.create(tx, f"forms/{request.form_id}", values))

    @query
    def GetForm(self, tx: Transaction, request: leads_pb2.GetFormRequest) -> leads_pb2.Form:
        return form_wire.form(forms.get(tx, request.name, deleted=request.show_deleted))

    @query
    def ListForms(self, tx: Transaction, request: leads_pb2.ListFormsRequest) -> leads_pb2.ListFormsResponse:
        start, size = form_wire.page(request)
        every = forms.every(tx, request.show_deleted)
        following = str(start + size) if start + size < len(every) else ""
        return leads_pb2.ListFormsResponse(
            forms=[form_wire.form(form) for form in every[start : start + size]], next_page_token=following
        )

    @command
    def UpdateForm(self, tx: Transaction, request: leads_pb2.UpdateFormRequest) -> leads_pb2.Form:
        _checked(request)
        check = FieldCheck()
        paths = form_wire.paths(request, check)
        values = form_wire.values(request.form, paths, check)
        if check.violations:
            raise Invalid(check.violations)
        return form_wire.form(forms.update(tx, request.form.name, request.form.etag, values))

    @command
    def DeleteForm(self, tx: Transaction, request: leads_pb2.DeleteFormRequest) -> leads_pb2.Form:
        _checked(request)
        return form_wire.form(forms.delete(tx, request.name, request.etag))

    @command
    def UndeleteForm(self, tx: Transaction, request: leads_pb2.UndeleteFormRequest) -> leads_pb2.Form:
        _checked(request)
        return form_wire.form(forms.undelete(tx, request.name))


class BlueprintServicer:
    """Our part of the blueprint."""

    descriptor = blueprint_pb2.DESCRIPTOR.services_by_name["BlueprintService"]

    @query
    def GetPart(self, tx: Transaction, request: blueprint_pb2.GetPartRequest) -> blueprint_pb2.Part:
        return _part(*blueprint.read(tx))

    @query
    def PlanPart(self, tx: Transaction, request: blueprint_pb2.PlanPartRequest) -> blueprint_pb2.PlanPartResponse:
        changes, version = blueprint.plan(tx, _content(request.content))
        return blueprint_pb2.PlanPartResponse(
            changes=[blueprint_pb2.Change(path=p, before=b, after=a) for p, b, a in changes], version=version
        )

    @command
    def ApplyPart(self, tx: Transaction, request: blueprint_pb2.ApplyPartRequest) -> blueprint_pb2.Part:
        _checked(request)
        return _part(*blueprint.apply(tx, _content(request.content), request.expected_version))


def _content(content: Struct) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json_format.MessageToDict(content)
    except (ValueError, RecursionError) as problem:
        raise Invalid([("content", "is not plain data", "不是有效的数据")]) from problem
    return plain


def _part(content: dict[str, Any], version: int) -> blueprint_pb2.Part:
    return blueprint_pb2.Part(content=lead_wire.struct(content), version=version)
