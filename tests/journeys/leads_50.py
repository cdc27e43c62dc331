"""Posts a sales team's spreadsheet (CSV with Chinese headers) as captures, and says what became of each row.

    python -m tests.journeys.leads_50 [FILE]      (the sample beside this; DEALWRIGHT_URL, DEALWRIGHT_ADMIN_PASSWORD)

Only the header is mapped and the local dates are read; spelling, repeats and mistakes are Dealwright's to sort out.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.journeys.api import Api

SAMPLE = Path(__file__).with_name("data") / "leads-50.csv"
CHANNELS = {
    "官网": "WEB_FORM",
    "展会": "TRADE_SHOW",
    "抖音": "DOUYIN",
    "微信": "WECHAT",
    "400电话": "PHONE_400",
    "转介绍": "REFERRAL",
}
INTENTS = {"高": "HIGH", "中": "MEDIUM", "低": "LOW"}
_FIELDS = {
    "姓名": "fullName",
    "手机号": "phone",
    "邮箱": "email",
    "公司": "company",
    "行业": "industry",
    "地区": "region",
    "备注": "text",
    "营业执照号": "licence",
}
_TIMES = ("%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")


@dataclass(frozen=True)
class Row:
    """A row of the sheet and the answer to it: `lead` and `outcome`, or `error`."""

    sheet: Mapping[str, str]
    answer: Mapping[str, Any]


def read(file: Path) -> list[dict[str, str]]:
    """The rows, by header; blanks around a cell go."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [{name: (cell or "").strip() for name, cell in row.items()} for row in csv.DictReader(lines)]


def capture_of(row: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """The lead that the row tells of. What the sheet says and we do not know (a channel, a date) is left as it is."""
    lead: dict[str, Any] = {field: row[name] for name, field in _FIELDS.items() if row.get(name)}
    if source := row.get("来源"):
        lead["channel"] = CHANNELS.get(source, source)
    if intent := row.get("意向度"):
        lead["intent"] = INTENTS.get(intent, intent)
    if city := row.get("城市"):
        lead["custom"] = {"城市": city}
    if first := row.get("首次接触时间"):
        lead["captureTime"] = _time(first, zone)
    return lead


def _time(text: str, zone: ZoneInfo) -> str:
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone).isoformat()
        except ValueError:
            continue
    return text


def post(api: Api, rows: Sequence[Mapping[str, str]], zone: str = "Asia/Shanghai") -> list[Row]:
    """Captures the rows in one call."""
    requests = [{"lead": capture_of(row, ZoneInfo(zone))} for row in rows]
    results = api.post("/v1/leads:batchCapture", {"requests": requests})["results"]
    return [Row(sheet, answer) for sheet, answer in zip(rows, results, strict=True)]


def main(words: Sequence[str]) -> int:
    file = Path(words[0]) if words else SAMPLE
    url = os.environ.get("DEALWRIGHT_URL", "http://127.0.0.1:8080")
    api = Api(url, "admin", os.environ["DEALWRIGHT_ADMIN_PASSWORD"])
    wrong = 0
    for number, row in enumerate(post(api, read(file)), 2):
        if "error" in row.answer:
            wrong += 1
            fields = row.answer["error"].get("fields", [])
            print(number, row.sheet["姓名"], "; ".join(f"{f['field']}: {f['message']}" for f in fields))
        else:
            print(number, row.sheet["姓名"], row.answer["outcome"], row.answer["lead"]["name"])
    print(f"{wrong} rows refused")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
