"""Ids lose their collection on the way in and get it back on the way out."""

from __future__ import annotations


def bare(name: str) -> str:
    """ "leads/x" -> "x"."""
    return name.rsplit("/", 1)[-1]


def lead_name(lead: str) -> str:
    return f"leads/{lead}"


def person_name(person: str) -> str:
    return f"people/{person}" if person else ""
