"""Every RPC as every role on every row, against the table."""

from __future__ import annotations

from collections import Counter

import pytest

from embedded.catalogue import NAMES, load
from tests.security.asking import PROBES
from tests.security.cells import Runner
from tests.security.house import House
from tests.security.matrix import CALLERS, table

TABLE = table()


def without_a_line(house: House) -> list[str]:
    """What the contracts offer and the table, or the probes, do not know; and the other way round."""
    return sorted((set(house.methods) ^ set(TABLE)) | (set(house.methods) ^ set(PROBES)))


def test_P5_every_rpc_of_every_service_has_a_line_in_the_matrix(house: House) -> None:
    assert without_a_line(house) == []
    assert {rpc.partition(".")[0] for rpc in house.methods} == set(NAMES)
    assert all(load(name).name == name for name in NAMES)
    for rpc, line in TABLE.items():
        assert {len(line.cells[caller]) for caller in CALLERS} == {len(PROBES[rpc].rows)}, rpc


def test_P5_an_rpc_without_a_line_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(house.methods, "leads.LeadService.StealLead", object())
    assert without_a_line(house) == ["leads.LeadService.StealLead"]


@pytest.mark.parametrize("rpc", sorted(TABLE))
def test_P5_P6_P7_each_role_gets_exactly_what_the_matrix_says_and_a_no_writes_nothing(rpc: str, runner: Runner) -> None:
    wrong = runner.run(TABLE[rpc])
    assert not wrong, "\n".join(wrong)


def test_P5_the_matrix_has_refusals_and_grants_for_every_role() -> None:
    seen = Counter((caller, letter) for line in TABLE.values() for caller in CALLERS for letter in line.cells[caller])
    for role in CALLERS[:5]:
        assert seen[role, "Y"] > 5
    for role in ("manager", "sales", "backoffice", "finance"):
        assert seen[role, "D"] > 20
    assert {letter for caller, letter in seen if caller == "forged"} == {"A"}
