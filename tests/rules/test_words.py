"""Words that are looked for in what a lead says: anywhere in Chinese, as words of their own in Latin letters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.domain.words import WordList, contains_any


def test_L8_an_urgent_word_is_found_anywhere_in_chinese_and_as_a_word_in_latin() -> None:
    words = ("急", "马上", "ASAP", "今天能回电话", "app", "c++")
    assert contains_any("马上要采购 200 台,急", words)
    assert contains_any("请ＡＳＡＰ回复", words)
    assert contains_any("用APP下单", words)
    assert contains_any("learn C++ now", words)
    for text in ("", "比较几家供应商", "apple", "snapp", "今天能回电", "app2"):
        assert not contains_any(text, words), text
    assert WordList(words).find("ok asap, 急") == "ASAP"
    assert WordList(words).find("急, asap") == "急"
    assert WordList(["非常", "非常急"]).find("我非常急") == "非常急"
    assert not contains_any("anything", ())


def test_L8_an_empty_or_endless_word_is_refused() -> None:
    for wrong in (["", "急"], [" "], ["急" * 101], [f"w{n}" for n in range(1001)]):
        with pytest.raises(ValueError, match="word"):
            WordList(wrong)


plain = st.text(st.sampled_from("急马上非常aAbB1 .*+(）Ａ"), max_size=8)


@given(plain, st.lists(plain.filter(str.strip), max_size=5))
def test_L8_a_word_list_finds_what_a_plain_search_finds(text: str, words: list[str]) -> None:
    def form(each: str) -> str:
        return unicodedata.normalize("NFKC", each).casefold()

    def stands_alone(word: str, start: int) -> bool:
        whole, end = form(text), start + len(word)
        left = start > 0 and _latin(whole[start - 1]) and _latin(word[0])
        right = end < len(whole) and _latin(whole[end]) and _latin(word[-1])
        return not left and not right

    expected = any(
        form(text).startswith(word, start) and stands_alone(word, start)
        for word in (form(each).strip() for each in words)
        for start in range(len(form(text)))
    )
    assert contains_any(text, words) == expected


def _latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()
