"""Reports asked for as files, and what strangers' programs read in these."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pypdf
import python_calamine
from pptx import Presentation

from chassis.access import Principal
from chassis.rpc import Call
from chassis.transaction import Origin
from dealwright.api.v1.file_pb2 import File
from dealwright.reports.v1 import exports_pb2 as pb
from reports.servicer.exports import ExportServicer
from tests.reports.desk import ADMIN, Desk

Format = pb.ExportReportRequest.Format
FORMATS = (Format.XLSX, Format.PDF, Format.PPTX, Format.CSV)


def export(desk: Desk, id: str, format: int, who: Principal = ADMIN, **asked: Any) -> File:
    servicer = ExportServicer(desk.runtime, desk.servicers[0])
    request = pb.ExportReportRequest(name=f"reports/{id}", format=format, **asked)  # type: ignore[arg-type]
    return servicer.ExportReport(Call(request, who, Origin(who.actor)))


def sheets(file: File) -> dict[str, list[list[Any]]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def table(file: File) -> list[list[Any]]:
    """The first sheet's, from its head on."""
    return next(iter(sheets(file).values()))[4:]


def lines(file: File) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))


def pages(file: File) -> list[str]:
    """The text of each page, without spaces."""
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(file.content)).pages]


def slides(file: File) -> list[Any]:
    return list(Presentation(io.BytesIO(file.content)).slides)


def charts(slide: Any) -> list[Any]:
    return [shape.chart for shape in slide.shapes if shape.has_chart]


def everything(file: File) -> str:
    """All that a file says, whatever it is: the text of its pages, or of each part of a zip and of zips in that."""
    if file.content_type == "application/pdf":
        return "".join(pages(file))
    if file.content_type.startswith("text/"):
        return file.content.decode("utf-8-sig")
    return _unzipped(file.content)


def _unzipped(content: bytes) -> str:
    found = []
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        for name in parts.namelist():
            part = parts.read(name)
            found.append(_unzipped(part) if part.startswith(b"PK") else part.decode("utf-8", "replace"))
    return "\n".join(found)
