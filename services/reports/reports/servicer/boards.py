"""Boards."""

from __future__ import annotations

from datetime import date

from chassis import clock
from chassis.access import refuse_read_only
from chassis.rpc import command, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from dealwright.reports.v1 import reports_pb2 as pb
from reports.usecases import boards
from reports.wire import definitions as wire


class BoardMethods:
    """The standard methods. The company's time zone tells which day it is."""

    def __init__(self, runtime: Runtime) -> None:
        self._zone = clock.company_zone(runtime.settings.company_time_zone)

    def _today(self, tx: Transaction) -> date:
        return tx.now.astimezone(self._zone).date()

    @command
    def CreateBoard(self, tx: Transaction, request: pb.CreateBoardRequest) -> pb.Board:
        wire.check_request_id(request)
        refuse_read_only(tx.principal, "boards", wire.given(request.board, wire.BOARD_FIELDS))
        made = boards.create(tx, wire.new_board(request.board_id, request.board), self._today(tx))
        return wire.shown_board(made)

    @query
    def GetBoard(self, tx: Transaction, request: pb.GetBoardRequest) -> pb.Board:
        return wire.shown_board(boards.find(tx, request.name, request.show_deleted))

    @query
    def ListBoards(self, tx: Transaction, request: pb.ListBoardsRequest) -> pb.ListBoardsResponse:
        found, token = wire.page(request, boards.every(tx, request.show_deleted), lambda one: one.name)
        return pb.ListBoardsResponse(boards=map(wire.shown_board, found), next_page_token=token)

    @command
    def UpdateBoard(self, tx: Transaction, request: pb.UpdateBoardRequest) -> pb.Board:
        wire.check_request_id(request)
        values = wire.board_values(request.board, wire.paths(request, "board", wire.BOARD_FIELDS))
        changed = boards.update(tx, request.board.name, request.board.etag, values, self._today(tx))
        return wire.shown_board(changed)

    @command
    def DeleteBoard(self, tx: Transaction, request: pb.DeleteBoardRequest) -> pb.Board:
        wire.check_request_id(request)
        return wire.shown_board(boards.delete(tx, request.name, request.etag))

    @command
    def UndeleteBoard(self, tx: Transaction, request: pb.UndeleteBoardRequest) -> pb.Board:
        wire.check_request_id(request)
        return wire.shown_board(boards.undelete(tx, request.name, self._today(tx)))
