"""Figures, and how they come about."""

from __future__ import annotations

from datetime import date
from typing import Any

from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.kpi import Kpi
from reports.domain.view import View
from reports.servicer.boards import BoardMethods
from reports.servicer.kpis import KpiMethods
from reports.usecases import (
    alert_rules,
    backtesting,
    boards,
    comparing,
    drawing,
    explaining,
    following,
    kpis,
    locating,
    pending,
    reading,
    spans,
    targets,
)
from reports.wire import asking, messages
from reports.wire import pending as pending_wire


class ReportServicer(KpiMethods, BoardMethods):
    """Figures, KPIs and boards."""

    descriptor = pb.DESCRIPTOR.services_by_name["ReportService"]

    def _asked(self, tx: Transaction, name: str, request: Any, last: date | None = None) -> tuple[Kpi, View]:
        of = kpis.find_as_of(tx, f"kpis/{asking.id_of(name)}", asking.as_of(request))
        return of, reading.narrowed(tx, asking.view(request, of, self._today(tx), last))

    def _cell(self, tx: Transaction, name: str, request: Any) -> tuple[Kpi, View]:
        of, view = self._asked(tx, name, request)
        return of, locating.behind(tx, of, view)

    @query
    def GetReport(self, tx: Transaction, request: pb.GetReportRequest) -> pb.Report:
        return self.report(tx, request)

    def report(self, tx: Transaction, request: pb.GetReportRequest, last: date | None = None) -> pb.Report:
        """GetReport. `last`: the day on which "this week" is said, where that is not today."""
        if boards.is_one(tx, f"boards/{asking.id_of(request.name)}"):
            return self._board(tx, request, last)
        of, view = self._asked(tx, request.name, request, last)
        goals = targets.reached(tx, of, view)
        table = reading.table(tx, of, view)
        table = targets.beside(of, view, table, goals, targets.wholes(tx, of, targets.trees(tx, view, goals)))
        table = reading.ordered(tx, view, spans.filled(tx, of, view, table))
        before = comparing.before(tx, of, view) if request.compared else None
        tile = messages.tile(of, view, table, reading.labels(tx, view, table), goals, before)
        return messages.report(request, self._marked(tx, request, [tile]), reading.learnt(tx))

    def _board(self, tx: Transaction, request: pb.GetReportRequest, last: date | None) -> pb.Report:
        of = boards.find(tx, f"boards/{asking.id_of(request.name)}")
        tiles = []
        for drawn in drawing.draw(tx, of, request, self._today(tx), last):
            labels = reading.labels(tx, drawn.view, drawn.table) if drawn.table is not None else {}
            tiles.append(messages.drawn(drawn, labels))
        titles = (of.display_name or of.display_name_zh, of.display_name_zh or of.display_name)
        return messages.report(request, self._marked(tx, request, tiles), reading.learnt(tx), titles)

    @staticmethod
    def _marked(tx: Transaction, request: pb.GetReportRequest, tiles: list[pb.Report.Tile]) -> list[pb.Report.Tile]:
        """With what rules found when they looked last, which is of nothing narrower than they look at."""
        shown = [one for one in tiles if not one.denied and not one.filter] if asking.as_of(request) is None else []
        found = alert_rules.marks(tx, {one.kpi for one in shown})
        for tile in shown:
            tile.marks.extend(map(messages.mark, found.get(tile.kpi, ())))
        return tiles

    @query
    def ExplainFigure(self, tx: Transaction, request: pb.ExplainFigureRequest) -> pb.Explanation:
        of, view = self._cell(tx, request.name, request)
        return messages.explanation(of, explaining.explain(tx, of, view, request))

    @query
    def ListRecords(self, tx: Transaction, request: pb.ListRecordsRequest) -> pb.ListRecordsResponse:
        of, view = self._cell(tx, request.parent, request)
        records, token = explaining.records(tx, of, view, request)
        # A record without a customer may be one.
        told = following.latest(tx, sorted({one.customer or one.record for one in records}), view.as_of)
        rows = [messages.counted(one, told.get(one.customer or one.record, ())) for one in records]
        return pb.ListRecordsResponse(records=rows, next_page_token=token)

    @command
    def CreateTasks(self, tx: Transaction, request: pb.CreateTasksRequest) -> pb.CreateTasksResponse:
        asked = pb.ListRecordsRequest(
            period=request.period,
            filter=request.filter,
            measure=request.measure,
            group_by=request.group_by,
            keys=request.keys,
        )
        of, view = self._cell(tx, request.name, asked)
        title, due_time = pending_wire.wish(request, tx.now)
        made = pending.make_tasks(tx, of, view, request.measure, title, due_time)
        return pb.CreateTasksResponse(**made._asdict())

    @query
    def BacktestReport(self, tx: Transaction, request: pb.BacktestReportRequest) -> pb.BacktestReportResponse:
        of = kpis.find(tx, f"kpis/{asking.id_of(request.name)}")
        found = backtesting.backtest(tx, of, self._today(tx), asking.months(request.months))
        return messages.backtest(found, backtesting.mean_error(found))
