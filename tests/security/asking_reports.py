"""How each RPC of figures, KPIs and boards is asked for what is his own, a team mate's, another team's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from chassis.transaction import Transaction
from dealwright.leads.v1 import leads_pb2
from dealwright.reports.v1 import costs_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.board import Board, Tile
from reports.domain.folding import News
from reports.domain.shipped import BY_NAME
from reports.storage import definitions
from reports.usecases import learning, rolling
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import Told, asks, numbers

_R = "reports.ReportService."
_KPI = "kpis/opportunities-opened"
_STATE: dict[str, Any] = {
    "version": 1,
    "deleted": False,
    "status": 1,
    "amount": 0,
    "abroad": "",
    "create_time": 1_780_000_000_000_000,
    "close_time": 0,
    "blank": (),
}
_WORDS = ("customer", "lead", "channel", "industry", "pipeline", "stage", "currency", "reason")


def told_of_a_deal(h: House, who: str, row: str) -> tuple[str, str]:
    """A deal of that person, as reports was told of it: its name, and the product that it alone is of."""
    name = f"opportunities/{next(numbers)}"
    product = f"products/{next(numbers)}"
    state = {**_STATE, **dict.fromkeys(_WORDS, ""), "owner": h.person(who, row), "products": (product,)}
    with h.runtimes["reports"].transaction() as tx:
        learning.learn(tx, [News(name, "state", state, "", 1)])
    more = True
    while more:
        with h.runtimes["reports"].transaction() as tx:
            more = rolling.roll(tx)
    return name, product


def _filter(h: House, who: str, row: str) -> str:
    return f'product = "{told_of_a_deal(h, who, row)[1]}"'


def _figure(h: House, who: str, row: str, answer: Any) -> str:
    figure = answer.tiles[0].total.figure if hasattr(answer, "tiles") else answer.figure
    return "S" if figure.value else "U"


asks(_R + "GetReport", PEOPLE, _figure)(
    lambda h, who, row: pb.GetReportRequest(
        name="reports/opportunities-opened", period="all", filter=_filter(h, who, row)
    )
)
asks(_R + "ExplainFigure", PEOPLE, lambda h, who, row, answer: "S" if answer.postings else "U")(
    lambda h, who, row: pb.ExplainFigureRequest(
        name="reports/opportunities-opened", period="all", filter=_filter(h, who, row)
    )
)
asks(_R + "ListRecords", PEOPLE, lambda h, who, row, answer: "S" if answer.records else "U")(
    lambda h, who, row: pb.ListRecordsRequest(
        parent="reports/opportunities-opened", period="all", filter=_filter(h, who, row)
    )
)
asks(_R + "CreateTasks", PEOPLE, lambda h, who, row, answer: "Y" if answer.tasks else "O")(
    lambda h, who, row: pb.CreateTasksRequest(
        name="reports/opportunities-opened", period="all", filter=_filter(h, who, row)
    )
)

# --- KPIs ---


def _kpi(h: House, who: str, row: str, deleted: bool = False) -> str:
    name = f"kpis/made-{next(numbers)}"
    with h.runtimes["reports"].transaction() as tx:
        definitions.keep_kpi(tx, _stored(tx, BY_NAME[_KPI], name, h.person(who, row), deleted))
    return name


def _stored(tx: Transaction, of: Any, name: str, owner: str, deleted: bool) -> Any:
    gone = tx.now if deleted else None
    return replace(of, name=name, owner=owner, create_time=tx.now, update_time=tx.now, delete_time=gone)


_made: dict[tuple[str, str, str], str] = {}


def _listed(field: str) -> Told:
    """Whether the one that was made for the question is in the list."""
    return lambda h, who, row, answer: (
        "S" if _made[field, who, row] in {one.name for one in getattr(answer, field)} else "U"
    )


asks(_R + "CreateKpi")(
    lambda h, who, row: pb.CreateKpiRequest(
        kpi_id=f"new-{next(numbers)}",
        kpi=pb.Kpi(
            display_name="新增",
            unit=pb.Kpi.Unit.COUNT,
            formula="opened",
            measures=[pb.Kpi.Measure(id="opened", fact="deal.opened")],
        ),
    )
)
asks(_R + "GetKpi", PEOPLE)(lambda h, who, row: pb.GetKpiRequest(name=_kpi(h, who, row)))


@asks(_R + "ListKpis", PEOPLE, _listed("kpis"))
def _(h: House, who: str, row: str) -> Message:
    _made["kpis", who, row] = _kpi(h, who, row)
    return pb.ListKpisRequest(page_size=1000)


@asks(_R + "UpdateKpi", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    changed = pb.Kpi(name=_kpi(h, who, row), display_name="新名")
    return pb.UpdateKpiRequest(kpi=changed, update_mask=FieldMask(paths=["display_name"]))


asks(_R + "DeleteKpi", PEOPLE)(lambda h, who, row: pb.DeleteKpiRequest(name=_kpi(h, who, row)))
asks(_R + "UndeleteKpi", PEOPLE)(lambda h, who, row: pb.UndeleteKpiRequest(name=_kpi(h, who, row, deleted=True)))
asks(_R + "ListFacts")(lambda h, who, row: pb.ListFactsRequest())

# --- boards ---


def _board(h: House, who: str, row: str, deleted: bool = False) -> str:
    name = f"boards/made-{next(numbers)}"
    of = Board(name, "我的", "", (Tile(_KPI),))
    with h.runtimes["reports"].transaction() as tx:
        definitions.keep_board(tx, _stored(tx, of, name, h.person(who, row), deleted))
    return name


asks(_R + "CreateBoard", PEOPLE)(
    lambda h, who, row: pb.CreateBoardRequest(
        board_id=f"new-{next(numbers)}",
        board=pb.Board(display_name="我的", owner=h.person(who, row), tiles=[pb.Board.Tile(kpi=_KPI)]),
    )
)
asks(_R + "GetBoard", PEOPLE)(lambda h, who, row: pb.GetBoardRequest(name=_board(h, who, row)))


@asks(_R + "ListBoards", PEOPLE, _listed("boards"))
def _(h: House, who: str, row: str) -> Message:
    _made["boards", who, row] = _board(h, who, row)
    return pb.ListBoardsRequest(page_size=1000)


@asks(_R + "UpdateBoard", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    changed = pb.Board(name=_board(h, who, row), display_name="新名")
    return pb.UpdateBoardRequest(board=changed, update_mask=FieldMask(paths=["display_name"]))


asks(_R + "DeleteBoard", PEOPLE)(lambda h, who, row: pb.DeleteBoardRequest(name=_board(h, who, row)))
asks(_R + "UndeleteBoard", PEOPLE)(lambda h, who, row: pb.UndeleteBoardRequest(name=_board(h, who, row, deleted=True)))

# --- what channels cost ---

_C = "reports.CostService."
_months = (f"{1900 + number // 12}-{number % 12 + 1:02}" for number in range(2400))


def _cost() -> costs_pb2.ChannelCost:
    return costs_pb2.ChannelCost(
        channel=leads_pb2.DOUYIN, month=next(_months), amount=Money(currency_code="CNY", units=100)
    )


def _costs_name(h: House, deleted: bool = False) -> str:
    name = str(h.do(_C + "CreateChannelCost", costs_pb2.CreateChannelCostRequest(channel_cost=_cost())).name)
    if deleted:
        h.do(_C + "DeleteChannelCost", costs_pb2.DeleteChannelCostRequest(name=name))
    return name


asks(_C + "CreateChannelCost")(lambda h, who, row: costs_pb2.CreateChannelCostRequest(channel_cost=_cost()))
asks(_C + "GetChannelCost")(lambda h, who, row: costs_pb2.GetChannelCostRequest(name=_costs_name(h)))
asks(_C + "ListChannelCosts")(lambda h, who, row: costs_pb2.ListChannelCostsRequest())
asks(_C + "UpdateChannelCost")(
    lambda h, who, row: costs_pb2.UpdateChannelCostRequest(
        channel_cost=costs_pb2.ChannelCost(name=_costs_name(h), note=f"note {next(numbers)}"),
        update_mask=FieldMask(paths=["note"]),
    )
)
asks(_C + "DeleteChannelCost")(lambda h, who, row: costs_pb2.DeleteChannelCostRequest(name=_costs_name(h)))
asks(_C + "UndeleteChannelCost")(
    lambda h, who, row: costs_pb2.UndeleteChannelCostRequest(name=_costs_name(h, deleted=True))
)
