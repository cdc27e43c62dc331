"""How each RPC of imports is asked for one of his own, of a team mate's, and of another team's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from google.protobuf.message import Message

from chassis import clock
from chassis.access import Grant, Principal, Scope
from dealwright.leads.v1 import imports_pb2 as pb
from leads.domain.imports import State
from leads.storage import imports as stored
from leads.usecases import imports
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import Told, asks, numbers

_I = "leads.ImportService."
_ALL = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)


def _sheet() -> bytes:
    return f"姓名,手机号\n王小明,{13900000000 + next(numbers)}\n".encode()


def _import(h: House, who: str, row: str, state: State) -> str:
    """One that stands still in this state."""
    owner = Principal(h.person(who, row), grants={"imports": _ALL, "leads": _ALL})
    values = {"kind": 1, "file_name": "名单.csv", "mapping": {}, "on_conflict": 0, "historical": False}
    with h.runtimes["leads"].transaction(owner) as tx:
        job = imports.create(tx, {**values, "validate_only": True}, _sheet(), more=state == State.UPLOADING)
        stored.advance(tx, job, replace(job, state=state, start_time=clock.now()))
    return job.name


def _any(field: str) -> Told:
    return lambda h, who, row, answer: "S" if getattr(answer, field) else "U"


@asks(_I + "CreateImport", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.CreateImportRequest(kind=pb.Import.LEADS, content=_sheet(), validate_only=True)


@asks(_I + "AppendImport", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _import(h, who, row, State.UPLOADING)
    with h.runtimes["leads"].reading() as tx:
        size = sum(map(len, stored.parts(tx, name)))
    return pb.AppendImportRequest(name=name, offset=size, content=b"x", more=True)


@asks(_I + "ListImports", PEOPLE, _any("imports"))
def _(h: House, who: str, row: str) -> Message:
    _import(h, who, row, State.PREVIEWED)
    return pb.ListImportsRequest(filter=f'owner = "{h.person(who, row)}"')


@asks(_I + "UpdateImport", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    job = pb.Import(name=_import(h, who, row, State.PREVIEWED), historical=True)
    return pb.UpdateImportRequest(job=job)


@asks(_I + "DownloadImportTemplate", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.DownloadImportTemplateRequest(kind=pb.Import.LEADS)


_STANDING: dict[str, tuple[Any, str, State]] = {
    "GetImport": (pb.GetImportRequest, "name", State.PREVIEWED),
    "CommitImport": (pb.CommitImportRequest, "name", State.PREVIEWED),
    "CancelImport": (pb.CancelImportRequest, "name", State.PREVIEWED),
    "UndoImport": (pb.UndoImportRequest, "name", State.SUCCEEDED),
    "ListImportRows": (pb.ListImportRowsRequest, "parent", State.PREVIEWED),
    "DownloadRefusedRows": (pb.DownloadRefusedRowsRequest, "name", State.SUCCEEDED),
}


def _asked(method: str) -> None:
    request, field, state = _STANDING[method]
    asks(_I + method, PEOPLE)(lambda h, who, row: request(**{field: _import(h, who, row, state)}))


for _method in _STANDING:
    _asked(_method)
