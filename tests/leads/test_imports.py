"""Sheets of leads: taken in row by row, once, in any encoding, with a verdict for each row."""

from __future__ import annotations

import csv
import io
import threading
from pathlib import Path

import pytest

from chassis.access import Principal
from chassis.errors import Denied, Invalid, Refused
from dealwright.leads.v1 import imports_pb2 as pb
from leads.domain.lead import Status
from tests.leads.desk import Desk
from tests.leads.importer import LI, OFFICE, Importer, people, sheet

SAMPLE = Path(__file__).parents[1] / "journeys" / "data" / "leads-50.csv"
Import, Row = pb.Import, pb.ImportRow


@pytest.fixture
def importer(desk: Desk, staff: None) -> Importer:
    return Importer(desk)


def test_X4_I6_the_sample_of_50_rows_makes_44_leads_2_touches_and_4_clear_errors(importer: Importer) -> None:
    job = importer.bring(SAMPLE.read_bytes())
    assert (job.state, job.done, job.total_rows, job.progress_percent) == (Import.SUCCEEDED, True, 50, 100)
    assert (job.counts.created, job.counts.merged, job.counts.refused) == (44, 2, 4)
    assert importer.desk.count("leads") == 44
    wrong = {row.number: [f.field for f in row.error.fields] for row in importer.rows(job.name, "outcome = REFUSED")}
    assert wrong == {8: ["手机号"], 10: ["邮箱"], 26: ["手机号"], 40: ["邮箱"]}


def test_I5_a_phone_of_ten_digits_is_refused_in_digits(importer: Importer) -> None:
    job = importer.bring(sheet("甲,1380000000,,甲公司,"))
    (row,) = importer.rows(job.name)
    assert row.verdict == Row.ERROR
    assert "11 位" in row.error.fields[0].message_zh
    assert "has 10 digits" in row.error.fields[0].message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_I10_a_sheet_is_read_in_every_encoding_and_delimiter(importer: Importer, encoding: str, delimiter: str) -> None:
    text = "\n".join(["姓名,手机号,公司", "王小明,13800000001,华东贸易", "李雷,13800000002,华南科技"])
    job = importer.bring(text.replace(",", delimiter).encode(encoding))
    assert job.counts.created == 2, job.error
    assert job.delimiter == delimiter
    assert [column.field for column in job.columns] == ["fullName", "phone", "company"]


def test_I3_a_preview_tells_what_each_row_would_do_and_stores_nothing(importer: Importer) -> None:
    importer.desk.capture(OFFICE, phone="13800000001", company="甲公司")
    before = importer.content()
    job = importer.bring(
        sheet(
            "新,13800000009,,新公司,",
            "同,13800000001,,甲公司,",
            "异,13800000001,,乙公司,",
            "再,13800000009,,,",
            "错,123,,,",
        ),
        validate_only=True,
    )
    assert job.state == Import.PREVIEWED
    assert importer.content() == before
    rows = importer.rows(job.name)
    assert [row.verdict for row in rows] == [Row.CREATED, Row.MATCHES, Row.CONFLICT, Row.MATCHES, Row.ERROR]
    assert [(d.field, d.ours, d.theirs) for d in rows[2].differences] == [("company", "甲公司", "乙公司")]
    assert rows[3].record == "rows/2"
    assert (job.counts.created, job.counts.matches, job.counts.conflicts, job.counts.refused) == (1, 2, 1, 1)


def test_I3_a_known_lead_is_skipped_updated_merged_or_touched_as_chosen_for_each_row(importer: Importer) -> None:
    leads = [importer.desk.capture(OFFICE, phone=f"1380000000{n}", company="旧").lead for n in range(4)]
    job = importer.bring(
        sheet(*(f"名{n},1380000000{n},,新,说明" for n in range(4))), validate_only=True, on_conflict=Import.MERGE
    )
    choices = {"2": Import.SKIP, "3": Import.UPDATE, "5": Import.TOUCH}
    importer.call(
        "UpdateImport",
        pb.UpdateImportRequest(job=Import(name=job.name, choices=choices), update_mask={"paths": ["choices"]}),  # type: ignore[arg-type]
    )
    importer.work()
    importer.call("CommitImport", pb.CommitImportRequest(name=job.name))
    importer.work()
    job = importer.get(job.name)
    counts = job.counts
    assert (counts.skipped, counts.updated, counts.merged, counts.touched) == (1, 1, 1, 1)
    after = [importer.desk.get(lead.name) for lead in leads]
    assert [(lead.company, lead.full_name) for lead in after] == [
        ("旧", ""), ("新", "名1"), ("旧", "名2"), ("旧", ""),
    ]  # fmt: skip
    assert importer.desk.count("touchpoints") == 4 + 3


def test_I3_what_a_merge_did_not_take_stays_on_the_touchpoint(importer: Importer) -> None:
    from dealwright.leads.v1 import leads_pb2

    lead = importer.desk.capture(OFFICE, phone="13800000001", company="旧").lead
    job = importer.bring(sheet("名,13800000001,,新,"))
    points = importer.desk.call("ListTouchpoints", leads_pb2.ListTouchpointsRequest(parent=lead.name)).touchpoints
    assert points[-1].brought.company == "新"
    assert points[-1].source == job.name


def test_I4_a_mapping_is_guessed_and_can_be_changed(importer: Importer) -> None:
    content = sheet("甲,13800000001,x", header="名字,Mobile,说明文字")
    job = importer.bring(content, validate_only=True)
    assert {c.header: c.field for c in job.columns} == {
        "名字": "fullName", "Mobile": "phone", "说明文字": "custom.说明文字",
    }  # fmt: skip
    assert job.columns[0].samples == ["甲"]
    changed = Import(name=job.name, mapping={"说明文字": "text", "名字": ""})
    importer.call("UpdateImport", pb.UpdateImportRequest(job=changed))
    importer.work()
    importer.call("CommitImport", pb.CommitImportRequest(name=job.name))
    importer.work()
    lead = importer.desk.get(importer.rows(job.name)[0].record)
    assert (lead.full_name, lead.text) == ("", "x")


def test_I4_a_mapping_to_no_field_or_twice_to_one_is_refused(importer: Importer) -> None:
    job = importer.bring(sheet(*people(1)), mapping={"备注": "nonsense"})
    assert (job.state, job.error.reason) == (Import.FAILED, "INVALID")
    job = importer.bring(sheet(*people(1)), mapping={"备注": "phone", "手机号": "phone"})
    assert job.state == Import.FAILED
    assert importer.desk.count("leads") == 0


def test_I1_a_file_imports_once_however_often_it_is_sent(importer: Importer) -> None:
    content = sheet(*people(30))
    first = importer.begin(content)
    again = importer.begin(content)
    importer.work()
    later = importer.begin(content)
    assert first.name == again.name == later.name
    importer.work()
    assert importer.desk.count("touchpoints") == 30


def test_I1_two_clicks_at_the_same_moment_import_once(importer: Importer) -> None:
    content, names = sheet(*people(20)), []
    ready = threading.Barrier(4)

    def click() -> None:
        ready.wait()
        names.append(importer.begin(content).name)

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    importer.work()
    assert len(names) == 4
    assert len(set(names)) == 1
    assert importer.desk.count("touchpoints") == 20


def test_I1_two_carriers_at_once_take_each_row_once(importer: Importer) -> None:
    job = importer.begin(sheet(*people(5000)))
    helpers = [threading.Thread(target=Importer(importer.desk).work) for _ in range(3)]
    for one in helpers:
        one.start()
    for one in helpers:
        one.join()
    importer.work()
    done = importer.get(job.name)
    assert (done.state, done.counts.created, done.done_rows) == (Import.SUCCEEDED, 5000, 5000)
    assert importer.desk.count("touchpoints") == 5000


def test_I10_a_file_comes_in_parts_and_a_repeated_part_counts_once(importer: Importer) -> None:
    content = sheet(*people(50))
    job = importer.begin(content[:500], more=True)
    for _ in range(2):
        importer.call(
            "AppendImport", pb.AppendImportRequest(name=job.name, offset=500, content=content[500:900], more=True)
        )
    with pytest.raises(Refused, match="byte 900"):
        importer.call("AppendImport", pb.AppendImportRequest(name=job.name, offset=2000, content=b"x"))
    importer.call("AppendImport", pb.AppendImportRequest(name=job.name, offset=900, content=content[900:]))
    importer.work()
    assert importer.get(job.name).counts.created == 50
    whole = importer.begin(content)
    assert whole.name == job.name


def test_I9_refused_rows_come_back_as_a_file_that_starts_no_formula(importer: Importer) -> None:
    job = importer.bring(sheet("=HYPERLINK(1),123,,甲,", "好,13800000001,,乙,"))
    file = importer.call("DownloadRefusedRows", pb.DownloadRefusedRowsRequest(name=job.name))
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert file.file_name == "名单-refused.csv"
    assert len(rows) == 2
    assert rows[1][:2] == ["'=HYPERLINK(1)", "123"]
    assert rows[1][5] == "2"
    assert "11 位" in rows[1][6]


def test_P2_an_import_is_seen_by_whom_it_belongs_to_and_needs_the_right_to_write_leads(importer: Importer) -> None:
    job = importer.begin(sheet(*people(1)))
    with pytest.raises(Exception, match="not found"):
        importer.call("GetImport", pb.GetImportRequest(name=job.name), LI)
    clerk = Principal("people/finance", "finance", grants={"imports": OFFICE.grants["imports"]})
    with pytest.raises(Denied, match=r"leads\.write"):
        importer.begin(sheet(*people(1)), who=clerk)
    with pytest.raises(Invalid):
        importer.begin(b"", who=OFFICE)


def test_L31_an_import_by_a_salesperson_does_not_write_on_a_colleagues_lead(importer: Importer) -> None:
    lead = importer.desk.capture(OFFICE, phone="13800000001").lead
    importer.desk.assign(lead.name, "people/wang")
    mine = Importer(importer.desk, LI)
    mine.bring(sheet("名,13800000001,,新公司,"), on_conflict=Import.UPDATE)
    after = importer.desk.get(lead.name)
    assert (after.company, after.owner, int(after.status)) == ("", "people/wang", Status.ASSIGNED)
