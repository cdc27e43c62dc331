"""Lists of words that are looked for in a text: urgent words and key phrases."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

LONGEST_WORD = 100
MOST_WORDS = 1_000


class WordList:
    """Words to look for, whatever their case or width. Raises ValueError for an empty or over-long word.

    Chinese has no gaps between words, so that a word is found anywhere; where it begins or ends in a Latin
    letter or a digit it must not go on there ("app" is not in "apple", but in "用app下单").
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(words))
        if len(self.words) > MOST_WORDS:
            raise ValueError(f"more than {MOST_WORDS} words")
        by_form: dict[str, str] = {}
        for word in self.words:
            form = _form(word).strip()
            if not form or len(form) > LONGEST_WORD:
                raise ValueError(f"a word must have 1 to {LONGEST_WORD} characters")
            by_form.setdefault(form, word)
        self._by_form = by_form
        # Two patterns: without a look-behind the first one is several times as fast.
        inner = [form for form in by_form if not (_latin(form[0]) or _latin(form[-1]))]
        edged = [form for form in by_form if _latin(form[0]) or _latin(form[-1])]
        self._inner = re.compile("|".join(map(re.escape, _longest_first(inner)))) if inner else None
        self._edged = re.compile("|".join(map(_edges, _longest_first(edged)))) if edged else None

    def find(self, text: str) -> str | None:
        """The first word of the text that is in the list, as the list spells it; None if there is none."""
        if not text:
            return None
        form = _form(text)
        found = [pattern.search(form) for pattern in (self._inner, self._edged) if pattern is not None]
        hits = [match for match in found if match is not None]
        return self._by_form[min(hits, key=re.Match.start)[0]] if hits else None


@lru_cache(maxsize=256)
def _listed(words: tuple[str, ...]) -> WordList:
    return WordList(words)


def contains_any(text: str, words: Iterable[str]) -> bool:
    """Whether any of the words is in the text; the list is compiled once (see WordList)."""
    return _listed(tuple(words)).find(text) is not None


def _form(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _longest_first(forms: Iterable[str]) -> list[str]:
    # An alternation takes the first branch that fits: "非常急" before "非常".
    return sorted(forms, key=lambda form: (-len(form), form))


def _edges(form: str) -> str:
    before = "(?<![a-z0-9])" if _latin(form[0]) else ""
    after = "(?![a-z0-9])" if _latin(form[-1]) else ""
    return before + re.escape(form) + after
