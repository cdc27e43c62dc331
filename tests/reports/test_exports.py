"""Reports as files: what strangers' programs read in them, and what they never say."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pypdf
import pytest
import time_machine
from google.protobuf.timestamp_pb2 import Timestamp
from pptx.enum.chart import XL_CHART_TYPE

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, Invalid
from dealwright.reports.v1 import reports_pb2
from reports.domain.folding import News
from reports.usecases import learning
from reports.wire.exports import commas, sheets
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, Desk, moment, principal
from tests.reports.exported import FORMATS, Format, export

TODAY = "2026-11-22T04:00:00+00:00"
ON = "2026-11-10T10:00"
EVIL = '=HYPERLINK("http://evil","x")'


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=True):
        yield


@pytest.fixture
def sold(desk: Desk) -> Desk:
    """Li won 43 219 in the east and 500 in a region with an evil name, Wang 77 773 in the west."""
    for amount, owner, region, when in (
        (43219, "people/li", "华东", ON),
        (500, "people/li", EVIL, "2026-11-12T10:00"),
        (77773, "people/wang", "华西", ON),
    ):
        deal = Deal(f"opportunities/{desk.number()}", when, amount, owner).win(when)
        desk.hear(*deal.told)
        with desk.runtime.transaction() as tx:
            learning.learn(tx, [News(deal.name, "customer", {"holder": owner, "region": region, "industry": "教育"})])
    desk.roll()
    return desk


def test_B33_a_sheet_has_real_numbers_and_days_and_the_figures_of_the_report(sold: Desk) -> None:
    file = export(sold, "won-amount", Format.XLSX, group_by=["day"])
    assert file.file_name == "赢单金额 2026-11-01 2026-11-30.xlsx"
    assert exported.table(file) == [
        ["日期", "赢单金额 (CNY)"],
        *([date(2026, 11, day), {10: 120992, 12: 500}.get(day, 0)] for day in range(1, 23)),
        ["合计", 121492],
    ]
    asked = sold.report("won-amount", group_by=["region"])
    rows = exported.table(export(sold, "won-amount", Format.XLSX, group_by=["region"], language="en"))
    assert rows[0] == ["Region", "Amount won (CNY)"]
    assert rows[1:-1] == [[row.labels[0], row.figure.value] for row in asked.rows]
    assert rows[-1] == ["Total", asked.total.figure.value]


def test_B33_amounts_and_percentages_look_like_what_they_are(sold: Desk) -> None:
    styles = exported.everything(export(sold, "win-rate", Format.XLSX))
    assert "0.0%" in styles
    assert exported.table(export(sold, "win-rate", Format.XLSX))[1] == [1.0]
    assert "#,##0.00" in exported.everything(export(sold, "won-amount", Format.XLSX))


@pytest.mark.parametrize(
    ("group", "drawn"),
    [(["region"], "c:barChart"), (["day"], "c:lineChart"), (["region", "day"], "c:lineChart")],
)
def test_B33_a_sheet_carries_a_chart_that_looks_at_its_cells(sold: Desk, group: list[str], drawn: str) -> None:
    said = exported.everything(export(sold, "won-amount", Format.XLSX, group_by=group))
    assert f"<{drawn}>" in said
    assert "!$A$6:$A$" in said or "!$E$6:$E$" in said


@pytest.mark.parametrize(("language", "said"), [("zh", "截至 {} 已知的数据"), ("en", "as known at {}")])
@pytest.mark.parametrize("format", FORMATS)
def test_B33_what_was_known_on_a_day_is_taken_along_as_that(sold: Desk, format: int, language: str, said: str) -> None:
    """On the 11th the deal of the 12th was not won yet."""
    then = Timestamp()
    then.FromDatetime(moment("2026-11-11T09:30"))
    file = export(sold, "won-amount", format, group_by=["owner"], language=language, as_of_time=then)
    text = exported.everything(file)
    assert "43219" in text or "43,219" in text
    assert "43719" not in text
    assert "43,719" not in text
    if format == Format.CSV:
        assert file.file_name.endswith("@2026-11-11T0130Z.csv")
        board = export(sold, "team", format, language=language, as_of_time=then)
        text = exported.everything(board)
    assert "".join(said.format("2026-11-11 09:30").split()) in "".join(text.split())
    if format != Format.CSV:
        assert "2026-11-2212:0" in "".join(text.split())  # when it was made


def test_B33_the_past_tells_until_when_it_was_learnt(sold: Desk) -> None:
    asked = reports_pb2.GetReportRequest(name="reports/won-amount")
    asked.as_of_time.FromDatetime(moment("2026-11-11T09:30"))
    for name in ("won-amount", "team"):
        asked.name = f"reports/{name}"
        report = sold.call("GetReport", asked)
        assert report.learn_time == report.as_of_time == asked.as_of_time
    asked.as_of_time.FromDatetime(moment("2026-12-11T09:30"))
    assert sold.call("GetReport", asked).learn_time.ToDatetime() < moment("2026-11-23T00:00").replace(tzinfo=None)


@pytest.mark.parametrize(("language", "said"), [("zh", "前 1 项，共 2 项"), ("en", "first 1 of 2")])
@pytest.mark.parametrize("format", FORMATS)
def test_B33_a_ranking_that_leaves_some_out_says_so(sold: Desk, format: int, language: str, said: str) -> None:
    tile = reports_pb2.Board.Tile(kpi="kpis/won-amount", group_by=["owner"], chart=reports_pb2.Board.RANKING, limit=1)
    whole = reports_pb2.Board.Tile(kpi="kpis/won-amount", group_by=["owner"], chart=reports_pb2.Board.RANKING, limit=2)
    of = reports_pb2.Board(display_name="x", period="this_month", tiles=[tile, whole])
    sold.call("CreateBoard", reports_pb2.CreateBoardRequest(board_id="few", board=of))
    first, all_of_them = sold.call("GetReport", reports_pb2.GetReportRequest(name="reports/few")).tiles
    assert (first.groups, len(first.rows), all_of_them.groups) == (2, 1, 0)
    text = "".join(exported.everything(export(sold, "few", format, language=language)).split())
    assert "".join(said.split()) in text


def test_B33_text_is_never_a_formula(sold: Desk) -> None:
    sheet = export(sold, "won-amount", Format.XLSX, group_by=["region"])
    assert EVIL in [row[0] for row in exported.table(sheet)]
    assert "<f>=" not in (said := exported.everything(sheet))
    assert "<f>HYPERLINK" not in said
    rows = exported.lines(export(sold, "won-amount", Format.CSV, group_by=["region"]))
    assert [f"'{EVIL}", "500"] in rows
    behind = exported.everything(export(sold, "won-amount", Format.PPTX, group_by=["region"]))
    assert "HYPERLINK" in behind
    assert "<f>" not in behind


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_B33_a_cell_of_a_csv_that_begins_like_a_formula_is_guarded(begin: str) -> None:
    assert commas.guarded(f"{begin}1+1") == f"'{begin}1+1"
    assert commas.guarded(f"1{begin}1") == f"1{begin}1"


def test_B33_a_csv_opens_in_chinese_spreadsheets(sold: Desk) -> None:
    file = export(sold, "won-amount", Format.CSV, group_by=["region"])
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert file.content.endswith(b"\r\n")
    rows = exported.lines(file)
    assert rows[0] == ["区域", "赢单金额 (CNY)"]
    assert rows[-1] == ["合计", "121492"]
    board = exported.lines(export(sold, "team", Format.CSV))
    assert {len(row) for row in board} == {10}
    units = {row[0]: row[4] for row in board}
    assert (units["赢单金额"], units["平均销售周期"], units["赢单率"]) == ("CNY", "天", "比率")
    (stage,) = {tuple(row[6:7]) for row in board if row[0] == "漏斗：商机数"}
    assert stage == ("漏斗：金额 (CNY)",)


def test_B33_what_of_a_board_may_not_be_exported_says_so_in_a_csv(sold: Desk) -> None:
    blind = principal("people/boss", "manager", Scope.TEAM, "teams/east", hidden=("amount",))
    board = exported.lines(export(sold, "team", Format.CSV, blind))
    said = {row[0]: row[2] for row in board}
    assert said["赢单金额"] == "您无权导出该内容。"
    assert said["赢单率"] != "您无权导出该内容。"


def test_B33_channels_are_called_what_people_call_them(sold: Desk) -> None:
    for source in ("DOUYIN", "老客户群"):
        sold.hear(*Deal(f"opportunities/{sold.number()}", ON, 1, fields={"source": source}).told)
    sold.roll()
    rows = exported.lines(export(sold, "opportunities-opened", Format.CSV, group_by=["channel"]))
    assert {row[0] for row in rows[1:-1]} == {"抖音", "老客户群", "（无）"}


def test_B33_a_pdf_says_it_in_chinese_fonts_of_its_own(sold: Desk) -> None:
    file = export(sold, "won-amount", Format.PDF, BOSS, group_by=["owner"])
    (page,) = exported.pages(file)
    for words in (
        "赢单金额",
        "2026-11-01–2026-11-30",
        "boss制于2026-11-2212:0",
        "负责人",
        "li",
        "43,719.00",
        "合计",
        "第1页",
    ):
        assert words in page, words
    first = pypdf.PdfReader(io.BytesIO(file.content)).pages[0]
    for font in first["/Resources"]["/Font"].values():  # type: ignore[index]
        inner = font.get_object()["/DescendantFonts"][0].get_object()
        assert {"/FontFile2", "/FontFile3"} & inner["/FontDescriptor"].get_object().keys()
        assert "Noto" in inner["/BaseFont"]


def test_B33_text_of_a_pdf_is_text_and_never_markup(sold: Desk) -> None:
    hostile = '#read("/etc/passwd") $x$ *a* ] #panic()'
    deal = Deal(f"opportunities/{sold.number()}", ON, 1).win(ON)
    sold.hear(*deal.told)
    with sold.runtime.transaction() as tx:
        learning.learn(tx, [News(deal.name, "customer", {"holder": "", "region": hostile, "industry": ""})])
    sold.roll()
    said = exported.everything(export(sold, "won-amount", Format.PDF, group_by=["region"]))
    assert "".join(hostile.split()) in said
    assert "root:" not in said


def test_B33_a_board_is_a_page_a_slide_and_a_sheet_for_each_tile_and_one_for_its_numbers(sold: Desk) -> None:
    report: reports_pb2.Report = sold.call("GetReport", reports_pb2.GetReportRequest(name="reports/team"))
    numbers = [tile for tile in report.tiles if not tile.group_by]
    assert len(numbers) > 5
    wanted = len(report.tiles) - len(numbers) + 1
    sheets_made = exported.sheets(export(sold, "team", Format.XLSX))
    slides_made = exported.slides(export(sold, "team", Format.PPTX))
    pages = exported.pages(export(sold, "team", Format.PDF))
    assert len(sheets_made) == len(slides_made) == len(pages) == wanted
    table = {row[0]: row[1:3] for row in sheets_made["指标"][4:]}
    assert table["指标"] == ["数值", "单位"]
    assert table["赢单金额"] == [121492, "CNY"]
    assert table["平均销售周期"] == [0, "天"]
    first = " ".join(shape.text_frame.text for shape in slides_made[0].shapes if shape.has_text_frame)
    for said in (pages[0], "".join(first.split())):
        for tile in numbers:
            assert "".join(tile.title_zh.split()) in said
        assert "121,492.00CNY" in said


def test_B33_tiles_of_one_kpi_are_told_apart_by_their_groups(sold: Desk) -> None:
    names = list(exported.sheets(export(sold, "director", Format.XLSX)))
    assert {"赢单金额 · 月份", "赢单金额 · 区域", "赢单金额 · 团队"} <= set(names)
    assert not any(name.endswith(")") for name in names)


def test_B33_what_is_compared_is_joined_by_a_line_where_it_follows_in_time_alone(sold: Desk) -> None:
    drawn = {}
    for slide in exported.slides(export(sold, "director", Format.PPTX)):
        drawn[slide.shapes.title.text_frame.text] = [chart.chart_type for chart in exported.charts(slide)]
    assert drawn["赢单金额 · 月份"] == [XL_CHART_TYPE.LINE_MARKERS] * 2
    assert drawn["赢单金额 · 区域"] == [XL_CHART_TYPE.COLUMN_CLUSTERED] * 2
    assert drawn["漏斗：商机数"] == [XL_CHART_TYPE.BAR_CLUSTERED] * 2


def test_B33_a_slide_has_a_chart_with_the_figures_and_names_a_chinese_font(sold: Desk) -> None:
    file = export(sold, "won-amount", Format.PPTX, group_by=["region"])
    (slide,) = exported.slides(file)
    (chart,) = exported.charts(slide)
    figures = sold.figures("won-amount", group_by=["region"])
    plot = chart.plots[0]
    assert dict(zip(plot.categories, plot.series[0].values, strict=True)) == figures
    assert slide.shapes.title.text_frame.text == "赢单金额"
    assert 'typeface="Microsoft YaHei"' in exported.everything(file)


def test_B33_sheets_are_named_as_spreadsheets_take_it() -> None:
    taken: set[str] = set()
    names = [
        sheets.sheet_name(title, taken)
        for title in ("销售[华东]/额:*?", "a" * 40, "A" * 40, "'x'", "", "History", "\\")
    ]
    assert names == ["销售 华东 额", "a" * 31, "A" * 27 + " (2)", "x", "-", "History (2)", "- (2)"]
    assert len(sheets.sheet_name("😀" * 31, taken).encode("utf-16-le")) <= 62


def _may(who: Principal, resource: str, **grant: Any) -> Principal:
    return replace(who, grants={**who.grants, resource: replace(who.grants[resource], **grant)})


@pytest.mark.parametrize("format", FORMATS)
def test_B33_nobody_exports_what_he_may_not_see(sold: Desk, format: int) -> None:
    """Other people's records, and hidden fields, in no format."""
    mine = exported.everything(export(sold, "won-amount", format, LI, group_by=["region"]))
    assert "华东" in mine
    assert "华西" not in mine
    assert "77773" not in mine
    assert "77,773" not in mine
    assert "华西" in exported.everything(export(sold, "won-amount", format, WANG, group_by=["region"]))
    blind = principal("people/li", "sales", Scope.OWN, "teams/east", hidden=("amount",))
    with pytest.raises(Denied):
        export(sold, "won-amount", format, blind)
    board = exported.everything(export(sold, "team", format, blind))
    assert "43,719" not in board
    assert "43719" not in board


@pytest.mark.parametrize("format", FORMATS)
def test_B33_who_may_export_less_than_he_may_read_gets_what_he_may_export(sold: Desk, format: int) -> None:
    own = _may(principal("people/wang", "manager", Scope.ALL), "opportunities", export=Scope.OWN)
    said = exported.everything(export(sold, "won-amount", format, own, group_by=["region"]))
    assert "华西" in said
    assert "华东" not in said
    assert sold.figure("won-amount", own) == 121492
    none = _may(ADMIN, "opportunities", export=Scope.NONE)
    with pytest.raises(Denied) as refused:
        export(sold, "won-amount", format, none)
    assert refused.value.right == "opportunities.export"


def test_B33_a_board_of_which_nothing_may_be_exported_is_refused(sold: Desk) -> None:
    reader = replace(ADMIN, grants={name: Grant(read=Scope.ALL) for name in ADMIN.grants})
    with pytest.raises(Denied):
        export(sold, "team", Format.XLSX, reader)


def test_B33_a_tile_that_may_not_be_exported_says_so_and_no_figure(sold: Desk) -> None:
    none = _may(ADMIN, "opportunities", export=Scope.NONE)
    said = exported.pages(export(sold, "team", Format.PDF, none))
    assert any("无权导出" in page for page in said)
    assert not any("121,492" in page for page in said)


@pytest.mark.parametrize(("field", "wrong"), [("format", {"format": 0}), ("language", {"language": "fr"})])
def test_B33_a_file_of_no_known_kind_is_refused_by_its_field(sold: Desk, field: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        export(sold, "won-amount", **{"format": Format.CSV, **wrong})
    assert [one.field for one in refused.value.violations] == [field]


def test_B33_exports_are_audited(sold: Desk) -> None:
    export(sold, "won-amount", Format.CSV, BOSS)
    with sold.runtime.reading() as tx:
        rows = tx.execute(tx.tables.audit_log.select()).all()
    (row,) = (row for row in rows if row.action == "report.exported")
    assert (row.actor, row.subject, row.detail) == ("people/boss", "reports/won-amount", {"format": "CSV"})


def test_B33_what_makes_files_is_not_in_memory_before_somebody_exports() -> None:
    asked = "import sys, reports.main, reports.servicer.exports, reports.servicer.mailer\n"
    asked += "print({'pptx', 'xlsxwriter', 'typst', 'lxml', 'PIL'} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"
