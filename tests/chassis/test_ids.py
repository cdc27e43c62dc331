"""Identifiers rise, never repeat, and say when they were made."""

import os
import threading
import time
import uuid

import pytest

from chassis import clock, ids


def test_an_id_is_a_version_7_uuid_in_32_lower_case_hex_digits() -> None:
    made = ids.new_id()
    assert len(made) == 32
    assert made == made.lower()
    parsed = uuid.UUID(hex=made)
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122


def test_an_id_carries_the_millisecond_it_was_made_in() -> None:
    before = clock.now().timestamp()
    made = int(ids.new_id()[:12], 16) / 1000
    assert before - 1 <= made <= clock.now().timestamp() + 1


def test_ids_of_one_process_rise_one_after_the_other() -> None:
    made = [*ids.new_ids(50_000), ids.new_id(), *ids.new_ids(1_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert ids.new_ids(0) == []


def test_threads_never_make_the_same_id() -> None:
    made: list[list[str]] = []
    threads = [threading.Thread(target=lambda: made.append(ids.new_ids(5_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each for some in made for each in some}) == 40_000
    assert all(some == sorted(some) for some in made)


def test_a_forked_child_makes_ids_of_its_own() -> None:
    ids.new_id()
    reading, writing = os.pipe()
    child = os.fork()
    # Past the fork's own millisecond, after which both draw afresh: a copied generator would draw the same.
    time.sleep(0.003)
    if child == 0:
        os.write(writing, "".join(ids.new_ids(200)).encode())
        os._exit(0)
    os.close(writing)
    ours = set(ids.new_ids(200))
    theirs = b""
    while piece := os.read(reading, 65_536):
        theirs += piece
    os.close(reading)
    os.waitpid(child, 0)
    text = theirs.decode()
    split = {text[at : at + 32] for at in range(0, len(text), 32)}
    assert len(split) == 200
    # The tail after the millisecond is random: equal tails would mean the child drew its parent's numbers.
    assert not {each[12:] for each in ours} & {each[12:] for each in split}


def test_secrets_are_url_safe_long_enough_and_never_repeat() -> None:
    made = {ids.new_secret() for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(len(each) == 43 and each.replace("-", "").replace("_", "").isalnum() for each in made)
    assert len(ids.new_secret(48)) == 64


def test_the_clock_is_aware_and_in_utc() -> None:
    offset = clock.now().utcoffset()
    assert offset is not None
    assert not offset
    assert clock.monotonic() <= clock.monotonic()


def test_an_unknown_time_zone_is_a_value_error_however_it_is_spelled() -> None:
    assert str(clock.company_zone("Asia/Shanghai")) == "Asia/Shanghai"
    for wrong in ("", "Asia", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "a\0b", "Asia/" + "x" * 5000):
        with pytest.raises(ValueError, match="unknown time zone"):
            clock.company_zone(wrong)
