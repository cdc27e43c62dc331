"""Cells of a sheet as values: what people write for channels, days, amounts, lists."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from chassis.fields import FieldProblem
from leads.domain.lead import Channel, Intent

_SPACE = re.compile(r"[\s_\-]+")
_PARTS = re.compile(r"[,，;；、|\n]+")
_DAY = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?",
    re.ASCII,
)
_MONEY_NOISE = re.compile(r"[\s,，¥￥$€£元]|RMB|CNY|USD|人民币", re.IGNORECASE)
_TIMES = {"万": 10_000, "亿": 100_000_000, "k": 1000, "K": 1000, "w": 10_000, "W": 10_000}

CHANNELS = {
    Channel.WEB_FORM: "官网 网站 网页 web website webform webForm",
    Channel.TRADE_SHOW: "展会 会展 trade-show show exhibition",
    Channel.DOUYIN: "抖音 douyin tiktok",
    Channel.WECHAT: "微信 企业微信 wechat weixin",
    Channel.PHONE_400: "400电话 400 电话 热线 phone400 phone hotline",
    Channel.REFERRAL: "转介绍 介绍 推荐 referral",
    Channel.IMPORT: "导入 import",
    Channel.API: "api 接口",
}
INTENTS = {
    Intent.HIGH: "高 高意向 high a hot",
    Intent.MEDIUM: "中 中意向 medium b warm",
    Intent.LOW: "低 低意向 low c cold",
}


def plain(text: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def chosen_from(known: Mapping[int, str] | Mapping[str, str], english: str, chinese: str) -> Callable[[str], int | str]:
    """A reader of one of these, by any of its words."""
    words: dict[str, int | str] = {plain(word): value for value, said in known.items() for word in said.split()}

    def read(text: str) -> int | str:
        found = words.get(plain(text))
        if found is None:
            raise FieldProblem(f"“{text[:40]}” is no {english}", f"“{text[:40]}” 不是有效的{chinese}")
        return found

    return read


channel = chosen_from({int(k): v for k, v in CHANNELS.items()}, "channel", "渠道")
intent = chosen_from({int(k): v for k, v in INTENTS.items()}, "intent", "意向度")


def labels(text: str) -> list[str]:
    return [part for one in _PARTS.split(text) if (part := one.strip())]


def moment(text: str, zone: ZoneInfo) -> datetime:
    """A day, or a moment in the company's time zone: 2026-09-08, 2026/9/8 10:30, 2026年9月8日, ISO 8601."""
    found = _DAY.fullmatch(text.strip())
    try:
        if found:
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
        read = datetime.fromisoformat(text.strip())
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldProblem(
            f"“{text[:40]}” is no date such as 2026-10-01 or 2026-10-01 09:30",
            f"“{text[:40]}” 不是有效的日期，应如 2026-10-01 或 2026-10-01 09:30",
        ) from None


def day(text: str, zone: ZoneInfo) -> str:
    """A day as ISO text."""
    return moment(text, zone).astimezone(zone).date().isoformat()


def amount(text: str) -> Decimal:
    """An amount of money: 120000, ¥120,000.00, 12万."""
    bare = _MONEY_NOISE.sub("", unicodedata.normalize("NFKC", text))
    times = _TIMES.get(bare[-1:], 1)
    try:
        read = Decimal(bare[:-1] if times > 1 else bare) * times
        if read.is_finite():
            return read
    except InvalidOperation:
        pass
    raise FieldProblem(f"“{text[:40]}” is no amount", f"“{text[:40]}” 不是有效的金额")


def whole(text: str) -> int:
    """A whole number; of "50%" the 50, of "100-200人" the first."""
    found = re.match(r"\s*(-?\d{1,9})", unicodedata.normalize("NFKC", text).replace(",", ""))
    if found is None:
        raise FieldProblem(f"“{text[:40]}” is no number", f"“{text[:40]}” 不是有效的数字")
    return int(found[1])


def yes(text: str) -> bool:
    said = plain(text)
    if said in ("是", "yes", "y", "true", "1", "√"):
        return True
    if said in ("否", "no", "n", "false", "0", "×", ""):
        return False
    raise FieldProblem(f"“{text[:40]}” is neither yes nor no", f"“{text[:40]}” 应为“是”或“否”")
