"""How each RPC of exports is asked for what is his own, a team mate's, another team's."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from dealwright.reports.v1 import exports_pb2 as pb
from tests.security.asking_reports import told_of_a_deal
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import asks

_E = "reports.ExportService."
_products: dict[tuple[str, str], str] = {}


def _in_the_file(h: House, who: str, row: str, answer: Any) -> str:
    """Of a file that came, O is one without the row."""
    return "Y" if _products[who, row] in answer.content.decode("utf-8-sig") else "O"


@asks(_E + "ExportReport", PEOPLE, _in_the_file)
def _(h: House, who: str, row: str) -> pb.ExportReportRequest:
    _products[who, row] = told_of_a_deal(h, who, row)[1]
    return pb.ExportReportRequest(
        name="reports/opportunities-opened",
        period="all",
        group_by=["product"],
        format=pb.ExportReportRequest.Format.CSV,
    )


# --- what is mailed ---

_OF: dict[str, Any] = {"display_name": "周报", "report": "reports/team", "format": 2, "span": 2, "hour": 9}
_NEW = pb.CreateExportScheduleRequest(export_schedule=pb.ExportSchedule(**_OF, people=["roles/manager"]))


def _made(h: House, deleted: bool = False) -> str:
    name: str = h.do(_E + "CreateExportSchedule", _NEW).name
    if deleted:
        h.do(_E + "DeleteExportSchedule", pb.DeleteExportScheduleRequest(name=name))
    return name


asks(_E + "CreateExportSchedule")(lambda h, who, row: _NEW)
asks(_E + "GetExportSchedule")(lambda h, who, row: pb.GetExportScheduleRequest(name=_made(h)))
asks(_E + "ListExportSchedules")(lambda h, who, row: pb.ListExportSchedulesRequest())


@asks(_E + "UpdateExportSchedule")
def _(h: House, who: str, row: str) -> pb.UpdateExportScheduleRequest:
    changed = pb.ExportSchedule(name=_made(h), hour=8)
    return pb.UpdateExportScheduleRequest(export_schedule=changed, update_mask=FieldMask(paths=["hour"]))


asks(_E + "ListExportMails")(lambda h, who, row: pb.ListExportMailsRequest(parent=_made(h)))
asks(_E + "DeleteExportSchedule")(lambda h, who, row: pb.DeleteExportScheduleRequest(name=_made(h)))
asks(_E + "UndeleteExportSchedule")(lambda h, who, row: pb.UndeleteExportScheduleRequest(name=_made(h, deleted=True)))
