"""Passwords that are tried first: long enough, and no secret all the same."""

from __future__ import annotations

import unicodedata

_FEWEST_DIFFERENT = 4
_LONGEST_UNIT = 4
# Neighbours on a keyboard, in the alphabet, among the digits: forwards and backwards.
_ROWS = tuple(
    row + row
    for given in (
        "1234567890",
        "0123456789",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "qwertyuiopasdfghjklzxcvbnm",
        "abcdefghijklmnopqrstuvwxyz",
    )
    for row in (given, given[::-1])
)
# Of ten characters and more, from the heads of the lists that attackers use.
_LISTED = """
    password12 password123 password1234 password12345 password123456 password01 password11 password2024 password2025
    password2026 passwordpassword p@ssword123 p@ssw0rd123 p@ssw0rd1234 passw0rd123 passw0rd1234 mypassword yourpassword
    administrator administrator1 admin12345 admin123456 admin1234567 adminadmin admin@1234 admin@12345 admin@123456
    changeme12 changeme123 changeme1234 welcome123 welcome1234 welcome@123 letmein123 letmein1234 iloveyou12 iloveyou123
    iloveyou1314 qwerty1234 qwerty12345 qwerty123456 qwertyuiop1 qwertyuiop123 q1w2e3r4t5 q1w2e3r4t5y6 1q2w3e4r5t
    1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw2345 qazwsxedcrfv zaq12wsxcde3 abc1234567 abc123456789 abcd123456 abcd12345678
    abcdef1234 a123456789 a1234567890 aa123456789 qq123456789 woaini1314 woaini1314520 woaini520 5201314520 1314520520
    7758521521 1231231231 9876543210 dealwright dealwright1 dealwright123 test123456 test1234567 superman123 football123
"""
_COMMON = frozenset(_LISTED.split())


def guessable(password: str) -> bool:
    """Whether it is one character or a few repeated, a row of the keyboard, or a common password."""
    plain = unicodedata.normalize("NFKC", password).casefold().strip()
    if len(set(plain)) < _FEWEST_DIFFERENT or plain in _COMMON:
        return True
    repeated = any((plain[:size] * len(plain))[: len(plain)] == plain for size in range(1, _LONGEST_UNIT + 1))
    return repeated or any(plain in row for row in _ROWS)
