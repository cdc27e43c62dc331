"""Imports at a desk: files in, worked on until nothing more happens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.access import Grant, Principal, Scope
from chassis.transaction import Origin
from dealwright.leads.v1 import imports_pb2 as pb
from leads.main import service
from leads.servicer.carrying import Carrier
from leads.servicer.imports import ImportServicer
from tests.leads.desk import Desk

_ALL = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)
_OWN = Grant(Scope.OWN, Scope.OWN)
RESOURCES = ("imports", "leads", "customers", "contacts", "opportunities", "followUps")
OFFICE = Principal("people/office", "backoffice", "teams/office", ("teams/office",), dict.fromkeys(RESOURCES, _ALL))
LI = Principal("people/li", "sales", "teams/east", ("teams/east",), dict.fromkeys(RESOURCES, _OWN))
HEADER = "姓名,手机号,邮箱,公司,备注"
TABLES = ("leads", "lead_keys", "touchpoints")


def sheet(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def people(count: int, first: int = 0) -> Iterable[str]:
    return (f"客户{n},{13800000000 + n},c{n}@example.com,公司{n},你好" for n in range(first, first + count))


class Importer:
    def __init__(self, desk: Desk, who: Principal = OFFICE) -> None:
        self.desk, self.who = desk, who
        self.servicer = ImportServicer()
        self.carrier = Carrier(desk.runtime)
        # What other services would say hangs on records: lead to kinds.
        self.hanging: dict[str, list[str]] = {}
        self.carrier.back.hanging = lambda job, results, trace: self.hanging  # type: ignore[method-assign]

    def call(self, method: str, request: Any, who: Principal | None = None) -> Any:
        caller = who or self.who
        with self.desk.runtime.transaction(caller, Origin(caller.actor)) as tx:
            return getattr(self.servicer, method)(tx, request)

    def begin(self, content: bytes, who: Principal | None = None, **fields: Any) -> pb.Import:
        request = pb.CreateImportRequest(
            **{"kind": pb.Import.LEADS, "file_name": "名单.csv", "content": content, **fields}
        )
        return self.call("CreateImport", request, who)  # type: ignore[no-any-return]

    def work(self, most: int = 10_000) -> None:
        for _ in range(most):
            if not self.carrier.step():
                return

    def get(self, name: str) -> pb.Import:
        return self.call("GetImport", pb.GetImportRequest(name=name))  # type: ignore[no-any-return]

    def bring(self, content: bytes, **fields: Any) -> pb.Import:
        """The import when it has ended."""
        job = self.begin(content, **fields)
        self.work()
        return self.get(job.name)

    def rows(self, name: str, wanted: str = "", size: int = 1000) -> list[pb.ImportRow]:
        found: list[pb.ImportRow] = []
        token = ""
        while True:
            request = pb.ListImportRowsRequest(parent=name, filter=wanted, page_size=size, page_token=token)
            answer = self.call("ListImportRows", request)
            found += answer.rows
            token = answer.next_page_token
            if not token:
                return found

    def undo(self, name: str) -> pb.Import:
        self.call("UndoImport", pb.UndoImportRequest(name=name))
        self.work()
        return self.get(name)

    def content(self, tables: Sequence[str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the tables; of leads without what counts changes."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        with self.desk.runtime.reading() as tx:
            for name in tables:
                table = service.metadata.tables[name]
                columns = [c for c in table.c if c.name != "version"]
                found[name] = sorted((tuple(row) for row in tx.execute(sa.select(*columns))), key=repr)
        return found
