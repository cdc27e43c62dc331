"""Reports as files."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime

import structlog

from chassis.errors import Denied, Invalid, Refused
from chassis.fields import FieldCheck
from chassis.nouns import Noun
from chassis.rpc import Call, command, outside, query
from chassis.service import Runtime
from chassis.transaction import Origin, Transaction
from chassis.typeset import NotTypeset
from dealwright.api.v1.file_pb2 import File
from dealwright.reports.v1 import exports_pb2 as pb
from dealwright.reports.v1 import reports_pb2
from reports.domain.exported import Paper
from reports.servicer.reports import ReportServicer
from reports.settings import company_currency, company_zone
from reports.usecases import exporting, schedules
from reports.usecases.schedules import SCHEDULES
from reports.wire import schedule_messages
from reports.wire.exports import outline

log = structlog.get_logger(__name__)
Format = pb.ExportReportRequest.Format
_TYPES = {
    Format.XLSX: ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    Format.PDF: ("pdf", "application/pdf"),
    Format.PPTX: ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    Format.CSV: ("csv", "text/csv; charset=utf-8"),
}
_SCHEDULES = Noun(
    SCHEDULES, "export_schedule", schedules, schedule_messages.read, schedule_messages.schedule, schedule_messages.GIVEN
)
# So many are made at once, each in memory as a whole.
_WAIT = 20.0
_making = threading.BoundedSemaphore(2)


class ExportServicer:
    """The files say what GetReport says, to whom they are made for; and which are mailed."""

    descriptor = pb.DESCRIPTOR.services_by_name["ExportService"]

    def __init__(self, runtime: Runtime, reports: ReportServicer) -> None:
        self._runtime, self._reports = runtime, reports

    @command
    def CreateExportSchedule(self, tx: Transaction, request: pb.CreateExportScheduleRequest) -> pb.ExportSchedule:
        return _SCHEDULES.create(tx, request)

    @query
    def GetExportSchedule(self, tx: Transaction, request: pb.GetExportScheduleRequest) -> pb.ExportSchedule:
        return _SCHEDULES.get(tx, request)

    @query
    def ListExportSchedules(
        self, tx: Transaction, request: pb.ListExportSchedulesRequest
    ) -> pb.ListExportSchedulesResponse:
        return _SCHEDULES.list(tx, request, pb.ListExportSchedulesResponse)

    @command
    def UpdateExportSchedule(self, tx: Transaction, request: pb.UpdateExportScheduleRequest) -> pb.ExportSchedule:
        return _SCHEDULES.update(tx, request)

    @command
    def DeleteExportSchedule(self, tx: Transaction, request: pb.DeleteExportScheduleRequest) -> pb.ExportSchedule:
        return _SCHEDULES.delete(tx, request)

    @command
    def UndeleteExportSchedule(self, tx: Transaction, request: pb.UndeleteExportScheduleRequest) -> pb.ExportSchedule:
        return _SCHEDULES.undelete(tx, request)

    @query
    def ListExportMails(self, tx: Transaction, request: pb.ListExportMailsRequest) -> pb.ListExportMailsResponse:
        found, token = schedules.mails_of(tx, request)
        return pb.ListExportMailsResponse(mails=map(schedule_messages.mail, found), next_page_token=token)

    @outside
    def ExportReport(self, call: Call[pb.ExportReportRequest]) -> File:
        request = call.request
        check(request)
        with self._runtime.reading(call.principal) as tx:
            report, paper = outlined(tx, self._reports, request)
            made = tx.now
        if not _making.acquire(timeout=min(call.left(), _WAIT)):
            raise Refused(
                "BUSY",
                "Too many files are made at once; try again.",
                "正在生成的文件过多，请稍后重试。",
                code="RESOURCE_EXHAUSTED",
            )
        try:
            file = file_of(report, paper, request.format, made)
        finally:
            _making.release()
        with self._runtime.transaction(call.principal, Origin(call.principal.actor)) as tx:
            tx.audit("report.exported", request.name, {"format": Format.Name(request.format)})
        return file


def outlined(
    tx: Transaction, reports: ReportServicer, request: pb.ExportReportRequest, last: date | None = None
) -> tuple[reports_pb2.Report, Paper]:
    """A report as the caller may take it along, its periods as they are said on the `last` day. Raises as GetReport,
    and Denied where there is nothing of it."""
    asked = reports_pb2.GetReportRequest(
        name=request.name, period=request.period, group_by=request.group_by, filter=request.filter
    )
    if request.HasField("as_of_time"):
        asked.as_of_time.CopyFrom(request.as_of_time)
    for verb in ("read", "export"):  # of whoever is sent one, no call was admitted
        tx.principal.require("reports", verb)
    with exporting.as_export(tx.principal):
        report = reports.report(replace(tx, principal=exporting.exporter(tx.principal)), asked, last)
    if report.tiles and all(tile.denied for tile in report.tiles):
        raise Denied("reports.export")
    tongue = outline.language(request.language)
    return report, outline.paper(report, tongue, exporting.maker(tx), tx.now, company_zone(), company_currency())


def check(request: pb.ExportReportRequest) -> None:
    """Raises Invalid on "format" or "language"."""
    if request.format not in _TYPES:
        found = FieldCheck()
        names = ", ".join(Format.Name(one) for one in _TYPES)
        found.refuse("format", f"must be one of: {names}", f"须为其中之一：{names}")
        raise Invalid(found.violations)
    outline.language(request.language)


def file_of(report: reports_pb2.Report, paper: Paper, format: int, made: datetime) -> File:
    """The file. What makes it is imported now, and not before."""
    ending, kind = _TYPES[format]  # type: ignore[index]
    return File(
        file_name=outline.file_name(paper, report, ending), content_type=kind, content=_content(paper, format, made)
    )


def _content(paper: Paper, format: int, made: datetime) -> bytes:
    if format == Format.XLSX:
        from reports.wire.exports import sheets

        return sheets.made(paper)
    if format == Format.PPTX:
        from reports.wire.exports import slides

        return slides.made(paper)
    if format == Format.CSV:
        from reports.wire.exports import commas

        return commas.made(paper)
    from reports.wire.exports import papers

    try:
        return papers.made(paper, made)
    except NotTypeset as problem:
        log.error("a report was not typeset", why=str(problem))
        raise Refused(
            "NOT_TYPESET",
            "The PDF could not be made; ask for less, or for XLSX.",
            "PDF 未能生成，请缩小范围或改用 XLSX。",
        ) from problem
