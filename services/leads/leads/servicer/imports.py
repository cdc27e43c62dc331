"""ImportService."""

from __future__ import annotations

from typing import Any

from chassis import records
from chassis.errors import Invalid
from chassis.fields import FieldCheck
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.api.v1 import file_pb2
from dealwright.leads.v1 import imports_pb2 as pb
from leads.domain import templates
from leads.usecases import import_rows, imports
from leads.usecases.imports import KIND
from leads.wire import imports as wire
from leads.wire import template_files


def _checked(request: Any) -> None:
    check = FieldCheck()
    wire.request_id(request, check)
    if check.violations:
        raise Invalid(check.violations)


class ImportServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["ImportService"]

    @command
    def CreateImport(self, tx: Transaction, request: pb.CreateImportRequest) -> pb.Import:
        return wire.job(imports.create(tx, wire.created(request), request.content, request.more))

    @command
    def AppendImport(self, tx: Transaction, request: pb.AppendImportRequest) -> pb.Import:
        _checked(request)
        return wire.job(imports.append(tx, request.name, request.offset, request.content, request.more))

    @query
    def GetImport(self, tx: Transaction, request: pb.GetImportRequest) -> pb.Import:
        return wire.job(records.find(tx, KIND, request.name))

    @query
    def ListImports(self, tx: Transaction, request: pb.ListImportsRequest) -> pb.ListImportsResponse:
        found, token, total = records.page(tx, KIND, request)
        return pb.ListImportsResponse(imports=map(wire.job, found), next_page_token=token, total_size=total or 0)

    @command
    def UpdateImport(self, tx: Transaction, request: pb.UpdateImportRequest) -> pb.Import:
        _checked(request)
        paths = records.paths(request.update_mask.paths, request.job, wire.CHANGEABLE)
        values = wire.changed(request.job, paths)
        return wire.job(imports.update(tx, request.job.name, request.job.etag, values))

    @command
    def CommitImport(self, tx: Transaction, request: pb.CommitImportRequest) -> pb.Import:
        _checked(request)
        return wire.job(imports.commit(tx, request.name, request.etag))

    @command
    def CancelImport(self, tx: Transaction, request: pb.CancelImportRequest) -> pb.Import:
        _checked(request)
        return wire.job(imports.cancel(tx, request.name, request.etag))

    @command
    def UndoImport(self, tx: Transaction, request: pb.UndoImportRequest) -> pb.Import:
        _checked(request)
        return wire.job(imports.undo(tx, request.name, request.etag))

    @query
    def ListImportRows(self, tx: Transaction, request: pb.ListImportRowsRequest) -> pb.ListImportRowsResponse:
        wanted = wire.row_filter(request.filter)
        found, token = import_rows.page(tx, request.parent, request.page_size, request.page_token, wanted)
        return pb.ListImportRowsResponse(rows=[wire.row(*one) for one in found], next_page_token=token)

    @query
    def DownloadRefusedRows(self, tx: Transaction, request: pb.DownloadRefusedRowsRequest) -> file_pb2.File:
        name, content = import_rows.refused(tx, request.name)
        return file_pb2.File(file_name=name, content_type="text/csv; charset=utf-8", content=content)

    @query
    def DownloadImportTemplate(self, tx: Transaction, request: pb.DownloadImportTemplateRequest) -> file_pb2.File:
        kind, form, language = template_files.asked(request)
        return template_files.file(kind, form, language, templates.columns(kind, language, tx.now))
