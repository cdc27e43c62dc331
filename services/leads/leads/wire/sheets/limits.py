"""How much a file may hold, and what is said of one that holds more."""

from __future__ import annotations

MOST_BYTES = 32 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 200
# What a spreadsheet takes itself.
LONGEST_CELL = 32_767
# Rows that travel together, and are kept together. A batch is as large.
BLOCK = 1000


class NotReadable(Exception):
    """A file that cannot be taken: a stable reason, and the reason for people in English and Chinese."""

    def __init__(self, reason: str, english: str, chinese: str) -> None:
        super().__init__(english)
        self.reason, self.english, self.chinese = reason, english, chinese


def too_wide() -> NotReadable:
    return NotReadable(
        "TOO_WIDE",
        f"The sheet has more than {MOST_COLUMNS} columns; delete the empty ones beside the table and save it again.",
        f"表格超过 {MOST_COLUMNS} 列，请删除表格右侧的空列后重新保存。",
    )


def too_many_rows() -> NotReadable:
    return NotReadable(
        "TOO_MANY_ROWS",
        f"The sheet has more than {MOST_ROWS} rows; delete the empty ones below the table, or import it in parts.",
        f"表格超过 {MOST_ROWS} 行，请删除表格下方的空行，或拆分后导入。",
    )


def damaged() -> NotReadable:
    return NotReadable(
        "NOT_A_SHEET",
        "The file is no readable sheet: save it as .xlsx or as CSV and try again.",
        "无法读取该文件，请另存为 .xlsx 或 CSV 后重试。",
    )


def beyond_limits() -> NotReadable:
    return NotReadable(
        "BEYOND_LIMITS",
        "The file takes more memory or time than any sheet of that size needs; copy the table into a new file.",
        "读取该文件所需的内存或时间超出限制，请将表格复制到新文件后重试。",
    )
