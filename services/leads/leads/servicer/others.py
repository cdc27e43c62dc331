"""Rows of customers, contacts, opportunities and follow-ups: brought by calls of the services that keep them.

Each block is one call with a request_id of its own, so that a block that is brought twice is there once.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from chassis.access import Principal, claimed
from chassis.service import Runtime
from dealwright.activities.v1 import activities_pb2
from dealwright.api.v1 import bringing_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.opportunities.v1 import opportunities_pb2
from leads.domain.imports import ImportKind, Job, OnConflict, Outcome, Result, State, Verdict, refusal
from leads.peers import Peers
from leads.servicer.before import RowsBefore, Seen
from leads.usecases import importing, staging
from leads.wire import row_keys
from leads.wire.record_rows import RecordRows, Row, header_of

_OUTCOMES = {
    bringing_pb2.Brought.CREATED: Outcome.MADE,
    bringing_pb2.Brought.SKIPPED: Outcome.SKIPPED,
    bringing_pb2.Brought.UPDATED: Outcome.UPDATED,
    bringing_pb2.Brought.MERGED: Outcome.MERGED,
    bringing_pb2.Brought.TOUCHED: Outcome.TOUCHED,
}
_ON_CONFLICT = {
    OnConflict.SKIP: bringing_pb2.SKIP,
    OnConflict.UPDATE: bringing_pb2.UPDATE,
    OnConflict.MERGE: bringing_pb2.MERGE,
    OnConflict.TOUCH: bringing_pb2.TOUCH,
}
_ON_CUSTOMER = {
    OnConflict.SKIP: customers_pb2.CreateCustomerRequest.SKIP,
    OnConflict.UPDATE: customers_pb2.CreateCustomerRequest.UPDATE,
    OnConflict.MERGE: customers_pb2.CreateCustomerRequest.MERGE,
    OnConflict.TOUCH: customers_pb2.CreateCustomerRequest.TOUCH,
}
# Service, batch, the end of its name, the field of the record in requests and results.
_CALLS: Mapping[int, tuple[str, Any, str, str]] = {
    ImportKind.CUSTOMERS: ("customers", customers_pb2.BatchCreateCustomersRequest, "Customers", "customer"),
    ImportKind.CONTACTS: ("customers", customers_pb2.BatchCreateContactsRequest, "Contacts", "contact"),
    ImportKind.OPPORTUNITIES: (
        "opportunities",
        opportunities_pb2.BatchCreateOpportunitiesRequest,
        "Opportunities",
        "opportunity",
    ),
    ImportKind.FOLLOW_UPS: ("activities", activities_pb2.BatchCreateFollowUpsRequest, "FollowUps", "follow_up"),
}


class Others:
    def __init__(self, runtime: Runtime, peers: Peers, zone: ZoneInfo) -> None:
        self._runtime, self._peers, self._zone = runtime, peers, zone
        self._before = RowsBefore(self._remember)

    def bring(self, job: Job, rows: Sequence[tuple[int, list[str]]], trace: str) -> list[Result]:
        """What becomes of a block's rows; in a preview, what would. Raises Away, Refused."""
        caller = claimed(job.caller)
        reader, read = self._read(job, caller, rows, trace)
        good = [row for row in read if not row.wrong]
        answers = iter(self._ask(job, caller, good, trace) if good else ())
        results = [
            importing.invalid(row.wrong) if row.wrong else _result(job, next(answers), reader.headers) for row in read
        ]
        return self._repeats(job, read, results) if job.state == State.PREVIEWING else results

    def _read(
        self, job: Job, caller: Principal, rows: Sequence[tuple[int, list[str]]], trace: str
    ) -> tuple[RecordRows, list[Row]]:
        reader = RecordRows(job.kind, job.columns, self._zone)
        read = [reader.read(number, cells) for number, cells in rows]
        self._resolve(job, caller, reader, read, trace)
        return reader, read

    # --- what the sheet says twice ---

    def _repeats(self, job: Job, rows: Sequence[Row], results: Sequence[Result]) -> list[Result]:
        """Of a preview: what an earlier row makes is known by then, under the number of that row."""
        seen = self._before.of(job)
        made: dict[str, int] = {}
        found = []
        for row, result in zip(rows, results, strict=True):
            if result.verdict == Verdict.CREATED:
                hashes = _hashes(job, row)
                first = next((seen[one] for one in hashes if one in seen), 0)
                made[result.record] = first or row.number
                result = Result(Verdict.MATCHES, record=f"rows/{first}") if first else Result(Verdict.CREATED)
                seen.update({one: row.number for one in hashes if not first})
            elif result.record in made:
                result = replace(result, record=f"rows/{made[result.record]}")
            found.append(result)
        return found

    def _remember(self, job: Job, number: int, seen: Seen) -> None:
        with self._runtime.reading() as tx:
            held = staging.block(tx, job, number)
        if held is not None:
            _, rows = self._read(job, claimed(job.caller), held[0], "")
            for row, result in zip(rows, held[1], strict=True):
                if result.verdict == Verdict.CREATED:
                    seen.update(dict.fromkeys(_hashes(job, row), row.number))

    def _ask(self, job: Job, caller: Principal, rows: Sequence[Row], trace: str) -> Sequence[Any]:
        service, batch, plural, field = _CALLS[job.kind]
        preview = job.state == State.PREVIEWING
        pass_ = f"{job.version}" if preview else "commit"
        request = batch(request_id=f"{job.name}/{pass_}/{job.block}", validate_only=preview)
        if job.kind != ImportKind.FOLLOW_UPS:
            request.source = job.name
        for row in rows:
            wanted = request.requests.add(**{field: row.message})
            choice = job.choice(row.number)
            if job.kind == ImportKind.CUSTOMERS:
                wanted.on_conflict, wanted.match_name = _ON_CUSTOMER[choice], True
            else:
                wanted.on_conflict = _ON_CONFLICT[choice]
            if job.kind == ImportKind.FOLLOW_UPS:  # the same file says the same, whoever brings it and however
                wanted.origin = f"{job.digest}:{row.number}"
            if job.kind in (ImportKind.OPPORTUNITIES, ImportKind.FOLLOW_UPS):
                wanted.historical = job.historical
        answer = self._peers.call(service, f"BatchCreate{plural}", request, caller, trace)
        return [(one, getattr(one, field)) for one in answer.results]

    # --- whom the rows name ---

    def _resolve(self, job: Job, caller: Principal, reader: RecordRows, rows: Sequence[Row], trace: str) -> None:
        self._people(reader, rows)
        if job.kind in (ImportKind.CONTACTS, ImportKind.OPPORTUNITIES, ImportKind.FOLLOW_UPS):
            self._customers(job, caller, reader, rows, trace)
        if job.kind == ImportKind.FOLLOW_UPS:
            self._records(caller, reader, rows, trace)

    def _people(self, reader: RecordRows, rows: Sequence[Row]) -> None:
        named = sorted({row.names["owner"] for row in rows if "owner" in row.names})
        with self._runtime.reading() as tx:
            known = importing.people_called(tx, named) if named else {}
        for row in rows:
            if said := row.names.get("owner"):
                if said in known:
                    row.message.owner = known[said]
                else:
                    row.wrong.append(_nobody(reader.headers["owner"], said, "person", "人员"))

    def _customers(self, job: Job, caller: Principal, reader: RecordRows, rows: Sequence[Row], trace: str) -> None:
        """By what the row says of the customer; an opportunity's own phone or e-mail will do, too (I24)."""
        asked: list[tuple[Row, dict[str, str]]] = []
        for row in rows:
            known_by = {
                "display_name": row.names.get("customer", ""),
                "phone": row.names.get("customerPhone", ""),
                "licence": row.names.get("customerLicence", ""),
            }
            if job.kind == ImportKind.OPPORTUNITIES and not any(known_by.values()):
                known_by = {"phone": row.message.phone, "email": row.message.email}
            if any(known_by.values()):
                asked.append((row, known_by))
            elif job.kind == ImportKind.CONTACTS:
                row.wrong.append(("客户 customer", "is required", "必填"))
        if not asked:
            return
        one = customers_pb2.BatchFindCustomersRequest.One
        request = customers_pb2.BatchFindCustomersRequest(customers=[one(**known_by) for _, known_by in asked])
        names = self._peers.call("customers", "BatchFindCustomers", request, caller, trace).names
        for (row, known_by), name in zip(asked, names, strict=True):
            said = next(value for value in known_by.values() if value)
            if not name and any(field in row.names for field in ("customer", "customerPhone", "customerLicence")):
                header = next(h for f, h in reader.headers.items() if f.startswith("customer") and f in row.names)
                row.wrong.append(_nobody(header, said, "customer", "客户"))
            elif job.kind == ImportKind.FOLLOW_UPS:
                row.message.record = name
            elif name:
                row.message.customer = name

    def _records(self, caller: Principal, reader: RecordRows, rows: Sequence[Row], trace: str) -> None:
        """The opportunity or the lead that a follow-up is about, where the row names one."""
        found: dict[str, str] = {}
        for row in rows:
            if said := row.names.get("opportunity"):
                if said not in found:
                    quoted = said.replace("\\", "").replace('"', "")
                    request = opportunities_pb2.ListOpportunitiesRequest(
                        filter=f'number = "{quoted}" OR title = "{quoted}"', page_size=1
                    )
                    answer = self._peers.call("opportunities", "ListOpportunities", request, caller, trace)
                    found[said] = answer.opportunities[0].name if answer.opportunities else ""
                if found[said]:
                    row.message.record = found[said]
                else:
                    row.wrong.append(_nobody(reader.headers["opportunity"], said, "opportunity", "商机"))
            elif not row.message.record and (said := row.names.get("leadPhone")):
                with self._runtime.reading(caller) as tx:
                    row.message.record = importing.lead_of(tx, said)
                if not row.message.record:
                    row.wrong.append(_nobody(reader.headers["leadPhone"], said, "lead", "线索"))
            elif not row.message.record and not row.wrong:
                row.wrong.append(("客户 customer", "names no record", "未指明跟进对象"))


def _nobody(header: str, said: str, english: str, chinese: str) -> tuple[str, str, str]:
    return header, f"there is no {english} “{said[:60]}” that you may see", f"没有您可见的{chinese}“{said[:60]}”"


def _result(job: Job, answer: tuple[Any, Any], headers: Mapping[str, str]) -> Result:
    one, record = answer
    if one.HasField("error"):
        fields = [(header_of(headers, f.field), f.message, f.message_zh) for f in one.error.fields]
        if fields:
            return importing.invalid(fields)
        return refusal(one.error.reason, one.error.detail, one.error.detail_zh)
    outcome = _OUTCOMES[one.brought.outcome]
    differences = [[d.field, d.ours, d.theirs] for d in one.brought.differences]
    known = Verdict.CONFLICT if differences else Verdict.MATCHES
    result = Result(Verdict.CREATED if outcome is Outcome.MADE else known, record=record.name, differences=differences)
    if job.state == State.PREVIEWING:
        return result
    undo = {"left": one.brought.left, "before": base64.b64encode(one.brought.before).decode()}
    return replace(result, outcome=outcome, undo=None if outcome is Outcome.SKIPPED else undo)


def _hashes(job: Job, row: Row) -> list[bytes]:
    return [importing.key_hash(key) for key in row_keys.keys(job.kind, row.message)]
