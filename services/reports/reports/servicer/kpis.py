"""KPIs, and what they can count."""

from __future__ import annotations

from chassis.access import refuse_read_only
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.reports.v1 import reports_pb2 as pb
from reports.usecases import kpis
from reports.wire import definitions as wire
from reports.wire import messages


class KpiMethods:
    """The standard methods."""

    @command
    def CreateKpi(self, tx: Transaction, request: pb.CreateKpiRequest) -> pb.Kpi:
        wire.check_request_id(request)
        refuse_read_only(tx.principal, "kpis", wire.given(request.kpi, wire.KPI_FIELDS))
        made = kpis.create(tx, wire.new_kpi(request.kpi_id, request.kpi), request.validate_only)
        return messages.definition(made)

    @query
    def GetKpi(self, tx: Transaction, request: pb.GetKpiRequest) -> pb.Kpi:
        return messages.definition(kpis.find(tx, request.name, request.show_deleted))

    @query
    def ListKpis(self, tx: Transaction, request: pb.ListKpisRequest) -> pb.ListKpisResponse:
        found, token = wire.page(request, kpis.every(tx, request.show_deleted), lambda one: one.name)
        return pb.ListKpisResponse(kpis=map(messages.definition, found), next_page_token=token)

    @command
    def UpdateKpi(self, tx: Transaction, request: pb.UpdateKpiRequest) -> pb.Kpi:
        wire.check_request_id(request)
        values = wire.kpi_values(request.kpi, wire.paths(request, "kpi", wire.KPI_FIELDS))
        return messages.definition(kpis.update(tx, request.kpi.name, request.kpi.etag, values))

    @command
    def DeleteKpi(self, tx: Transaction, request: pb.DeleteKpiRequest) -> pb.Kpi:
        wire.check_request_id(request)
        return messages.definition(kpis.delete(tx, request.name, request.etag))

    @command
    def UndeleteKpi(self, tx: Transaction, request: pb.UndeleteKpiRequest) -> pb.Kpi:
        wire.check_request_id(request)
        return messages.definition(kpis.undelete(tx, request.name))

    @query
    def ListFacts(self, tx: Transaction, request: pb.ListFactsRequest) -> pb.ListFactsResponse:
        found, token = wire.page(request, messages.facts(), lambda one: one.id)
        return pb.ListFactsResponse(facts=found, next_page_token=token)
