"""What a file is, by its first bytes; what is taken, and what is refused and why."""

from __future__ import annotations

import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.domain import sniffing
from chassis.fields import FieldProblem
from tests.activities import samples
from tests.activities.samples import HTML, JPEG, PDF, PNG, SVG

_OFFICE = "application/vnd.openxmlformats-officedocument."
_DOCX = f"{_OFFICE}wordprocessingml.document"
_MACROS = b"application/vnd.ms-word.document.macroEnabled.main+xml"


@pytest.mark.parametrize(
    ("name", "data", "declared", "found"),
    [
        ("合同.pdf", PDF, "application/pdf", "application/pdf"),
        ("照片.PNG", PNG, "", "image/png"),
        ("a.jpeg", JPEG, "image/jpg", "image/jpeg"),
        ("a.gif", b"GIF89a\x01\x00\x01\x00", "image/gif", "image/gif"),
        ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp", "image/webp"),
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic", "image/heic"),
        ("通话.amr", b"#!AMR\n\x3c\x91", "audio/amr", "audio/amr"),
        ("a.m4a", b"\0\0\0\x18ftypM4A \0\0\0\0", "audio/mp4", "video/mp4"),
        ("报价.csv", "名称,价格\n甲,1\n".encode("gb18030"), "application/vnd.ms-excel", "text/plain"),
        ("a.txt", "你好\r\n\tworld".encode("utf-8-sig"), "text/plain; charset=utf-8", "text/plain"),
        ("方案.docx", samples.office("docx"), _DOCX, _DOCX),
        ("a.xlsx", samples.office("xlsx"), "application/octet-stream", f"{_OFFICE}spreadsheetml.sheet"),
        ("a.pptx", samples.office("pptx"), "", f"{_OFFICE}presentationml.presentation"),
    ],
)
def test_F2_C7_documents_pictures_and_recordings_are_what_their_first_bytes_say(
    name: str, data: bytes, declared: str, found: str
) -> None:
    assert sniffing.agreed(data, name, declared) == (name, found)


@pytest.mark.parametrize(
    ("name", "data", "declared", "why"),
    [
        ("a.pdf", b"", "", "is empty"),
        ("a.svg", SVG, "image/svg+xml", "HTML, SVG or XML"),
        ("a.png", SVG, "image/png", "HTML, SVG or XML"),
        ("a.html", HTML, "text/html", "HTML, SVG or XML"),
        ("a.txt", b"\xef\xbb\xbf \n\t" + HTML.lower(), "text/plain", "HTML, SVG or XML"),
        ("a.txt", b"<script>alert(1)</script>", "text/plain", "HTML, SVG or XML"),
        ("a.txt", b"<!-- -->x", "text/plain", "HTML, SVG or XML"),
        ("a.html", b"hello", "text/html", "is called .html"),
        ("a.js", b"alert(1)", "text/javascript", "is called .js"),
        ("a.bat", b"del *", "", "is called .bat"),
        ("a.sh", b"#!/bin/sh\n", "", "is a program"),
        ("a.exe", b"MZ\x90\0", "", "is a program"),
        ("a.pdf", b"\x7fELF\x02", "application/pdf", "is a program"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "application/msword", "of the old kind"),
        ("a.rar", b"Rar!\x1a\x07", "", "is an archive"),
        ("a.zip", samples.zipped({"a.txt": b"x"}), "application/zip", "is an archive"),
        ("a.docx", samples.zipped({"a.txt": b"x"}), "", "is an archive"),
        ("a.bin", b"\0\1\2\3", "", "of no kind that is taken"),
        ("a.txt", "<html>".encode("utf-16"), "text/plain", "of no kind that is taken"),
        ("a.png", PDF, "image/png", "is application/pdf and is called .png"),
        ("a.pdf", PDF, "image/png", "was declared as image/png"),
        ("a.pdf.exe", PDF, "application/pdf", "is called .exe"),
        ("a.xlsx", samples.office("docx"), "", "is called .xlsx"),
        ("x" * 201 + ".pdf", PDF, "", "more than 200"),
    ],
)
def test_a_file_that_lies_about_its_type_or_could_run_is_refused_with_the_reason(
    name: str, data: bytes, declared: str, why: str
) -> None:
    with pytest.raises(FieldProblem) as problem:
        sniffing.agreed(data, name, declared)
    assert why in problem.value.english
    assert problem.value.chinese


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (samples.bomb(), "far more than it is"),
        (samples.overlapping(), "far more than it is"),
        (samples.office("docx", **{f"word__{n}": b"" for n in range(5_001)}), "far more than it is"),
        (samples.lying(), "damaged"),
        (samples.office("docx")[:-30], "damaged"),
        (samples.office("docx", word__vbaProject_bin=b"x"), "macros"),
        (samples.office("xlsx", xl__activeX__activeX1_xml=b"x"), "macros"),
        (samples.office("docx", word__embeddings__a_exe=b"MZ"), "macros"),
        (
            samples.zipped(
                {
                    "[Content_Types].xml": _MACROS,
                    "word/document.xml": b"",
                }
            ),
            "no office document",
        ),
        (samples.zipped({"[Content_Types].xml": bytes(2 * 1024 * 1024)}, zipfile.ZIP_STORED), "is an archive"),
    ],
    ids=["bomb", "overlapping", "entries", "lying", "cut", "macros", "activex", "program", "docm", "contents"],
)
def test_zip_bombs_and_zips_that_are_no_office_files_are_refused(data: bytes, why: str) -> None:
    assert len(data) < 3 * 1024 * 1024
    with pytest.raises(FieldProblem, match=why):
        sniffing.type_of(data)


def test_a_file_keeps_its_name_without_folders_and_what_nobody_sees() -> None:
    def named(name: str) -> str:
        return sniffing.agreed(PDF, name, "")[0]

    assert named("C:\\fakepath\\合同 1.pdf") == "合同 1.pdf"
    assert named("../../etc/a.pdf") == "a.pdf"
    assert named("a\u202efdp.pdf\n") == "afdp.pdf"
    assert named("扫描件") == "扫描件.pdf"
    assert named("") == "file.pdf"


@given(st.binary(max_size=200), st.text(max_size=30))
def test_whatever_comes_is_taken_or_refused_with_a_reason(data: bytes, name: str) -> None:
    with suppress(FieldProblem):
        plain, found = sniffing.agreed(data, name, "")
        assert "/" not in plain
        assert found in {kind.content_type for kind in sniffing.TYPES}
