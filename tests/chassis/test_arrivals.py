"""A call that names what was made just now elsewhere waits for it; one that names nothing that could be is not kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chassis import arrivals, clock, ids
from chassis.rpc import Call
from chassis.service import Runtime
from chassis.transaction import Origin, Transaction
from tests.conformance.client import WRITER, put
from tests.conformance.deployments import Deployment


@pytest.fixture
def wait(tmp_path: Path) -> Callable[..., float]:
    """Waits with a call whose caller waits for a second; answers how long that took."""
    runtime: Runtime = Deployment(tmp_path, "").runtime

    def waited(names: list[str], arrived: Callable[[Transaction], bool], **more: float) -> float:
        began = time.monotonic()
        call = Call(put("n", "text"), WRITER, Origin(), deadline=clock.monotonic() + 1.0)
        arrivals.wait_for(runtime, call, names, arrived, **more)
        return time.monotonic() - began

    return waited


def test_a_call_goes_on_as_soon_as_what_it_names_has_arrived(wait: Callable[..., float]) -> None:
    looks: list[Transaction] = []

    def third_time(tx: Transaction) -> bool:
        looks.append(tx)
        return len(looks) >= 3

    wait([f"customers/{ids.new_id()}", ""], third_time)
    assert len(looks) == 3
    wait([ids.new_id()], third_time)
    assert len(looks) > 3


def test_what_does_not_arrive_is_waited_for_half_as_long_as_the_caller_waits_at_most(
    wait: Callable[..., float],
) -> None:
    assert 0.5 <= wait([f"customers/{ids.new_id()}"], lambda tx: False) < 1.0
    assert 0.2 <= wait([f"customers/{ids.new_id()}"], lambda tx: False, seconds=0.2) < 0.5


@pytest.mark.parametrize(
    "names", [[], [""], ["customers/x"], ["customers/" + "0" * 31], ["GOOD", "\U000a14f8"], ["x/"]]
)
def test_a_name_that_nobody_gives_keeps_no_thread_busy(names: list[str], wait: Callable[..., float]) -> None:
    def never(tx: Transaction) -> bool:
        raise AssertionError("nothing is on its way")

    good = f"customers/{ids.new_id()}"
    wait([good if name == "GOOD" else name for name in names], never)


def test_a_row_of_a_batch_whose_name_is_none_does_not_keep_the_others_from_being_waited_for() -> None:
    one, other = sorted(f"customers/{ids.new_id()}" for _ in range(2))
    assert arrivals.may_come([other, "customers/none", "", one, "x/", other]) == [one, other]
