"""What each of several processes does at once: it captures the same contacts as the others, in an order of its own."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dealwright.leads.v1 import leads_pb2
from tests.leads.desk import Desk, open_runtime

ROUNDS, CONTACTS = 12, 60


def capture_rounds(url: str, folder: str, seed: int, start: Any, results: Any) -> None:
    """Puts ("found", {contact: names of its leads}) or ("error", why). Contacts are numbers.

    The first process leaves e-mails out here and there, so that keys of one lead come from several processes.
    """
    desk = Desk(open_runtime(url, Path(folder)))
    chance = random.Random(seed)
    found: dict[int, set[str]] = {}
    start.wait(60)
    for number in range(ROUNDS):
        contacts = [number * 100 + n for n in range(CONTACTS)]
        chance.shuffle(contacts)
        rows = [
            leads_pb2.Lead(
                phone=f"138123{contact:05d}",
                email="" if seed == 0 and chance.random() < 0.3 else f"c{contact}@example.cn",
            )
            for contact in contacts
        ]
        try:
            answers = desk.capture_all(rows)
        except sa.exc.DBAPIError as problem:  # Keys are written in one order, so not even a deadlock is expected.
            results.put(("error", str(problem.orig)))
            return
        for contact, answer in zip(contacts, answers, strict=True):
            found.setdefault(contact, set()).add(answer.lead.name)  # type: ignore[union-attr]
    results.put(("found", found))
