"""A download is called what its file is called, in programs that read Chinese names and in those that do not."""

from __future__ import annotations

import pytest

from dealwright.api.v1.file_pb2 import File
from gateway.doors.uploads import download


@pytest.mark.parametrize(
    ("name", "plain", "whole"),
    [
        ("营业执照.pdf", "file.pdf", "%E8%90%A5%E4%B8%9A%E6%89%A7%E7%85%A7.pdf"),
        ("Q-1.pdf", "Q-1.pdf", "Q-1.pdf"),
        ("报价 v2 终稿.xlsx", "v2.xlsx", "%E6%8A%A5%E4%BB%B7%20v2%20%E7%BB%88%E7%A8%BF.xlsx"),
        ("合同", "file", "%E5%90%88%E5%90%8C"),
        ("名单-refused.csv", "refused.csv", "%E5%90%8D%E5%8D%95-refused.csv"),
        ("", "file", ""),
        ('a"b\r\nX: y.txt', "a_b_X_y.txt", "a%22b%0D%0AX%3A%20y.txt"),
    ],
)
def test_C7_a_name_has_an_ascii_one_beside_it_with_a_name_of_its_own(name: str, plain: str, whole: str) -> None:
    answer = download(File(file_name=name, content=b"x").SerializeToString())
    said = answer.headers["Content-Disposition"]
    assert said == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"
