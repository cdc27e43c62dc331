"""The company as its papers show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chassis import fields
from chassis.fields import FieldCheck

LANGUAGES = ("zh", "en")
_TEXTS = {
    **dict.fromkeys(("displayName", "displayNameEn", "phone", "email", "website", "taxNumber"), 200),
    **dict.fromkeys(("address", "addressEn", "bank"), 500),
    "logo": 40,
}
_LINES = {"quoteTerms": 5000, "quoteTermsEn": 5000}
_MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Company:
    """Texts may be empty. `logo` stands where a picture would; `language` is that of its papers ("zh", "en"); a quote
    is valid for `quote_days` unless it says otherwise, without end for 0."""

    texts: Mapping[str, str]
    currency: str
    language: str
    quote_days: int

    @property
    def terms(self) -> str:
        return self.named("quoteTerms", self.language)

    def named(self, key: str, language: str) -> str:
        """A text in a language, in Chinese where there is no English one."""
        return (self.texts[f"{key}En"] if language == "en" else "") or self.texts[key]

    def valid_until(self, today: str) -> str:
        """The last day of a quote that is made today."""
        if not self.quote_days:
            return ""
        return (date.fromisoformat(today) + timedelta(days=self.quote_days)).isoformat()


def checked(given: Any, check: FieldCheck, path: str) -> dict[str, Any]:
    """The document in its normal form: every key, the texts that are not given empty."""
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        check.refuse(path, "must be an object", "须为对象")
        given = {}
    known = {*_TEXTS, *_LINES, "currency", "language", "quoteValidDays"}
    for key in sorted(map(str, given.keys() - known)):
        check.refuse(f"{path}.{key[:64]}", "there is no such setting", "没有这个设置项")
    plain: dict[str, Any] = {
        key: check.take(f"{path}.{key}", fields.text, given.get(key, ""), longest) or ""
        for key, longest in _TEXTS.items()
    }
    for key, longest in _LINES.items():
        plain[key] = check.take(f"{path}.{key}", fields.text, given.get(key, ""), longest, multiline=True) or ""
    currency, language, days = (
        given.get("currency", "CNY"),
        given.get("language", "zh"),
        given.get("quoteValidDays", 30),
    )
    currency = check.take(f"{path}.currency", fields.currency, currency) or "CNY"
    if language not in LANGUAGES:
        check.refuse(f"{path}.language", "must be zh or en", "须为 zh 或 en")
        language = "zh"
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= _MOST_DAYS or days != int(days):
        check.refuse(f"{path}.quoteValidDays", f"must lie from 0 to {_MOST_DAYS}", f"须在 0 至 {_MOST_DAYS} 之间")
        days = 30
    return {**plain, "currency": currency, "language": language, "quoteValidDays": int(days)}


def read(document: Mapping[str, Any]) -> Company:
    """A document in its normal form."""
    texts = {key: document[key] for key in (*_TEXTS, *_LINES)}
    return Company(texts, document["currency"], document["language"], document["quoteValidDays"])
