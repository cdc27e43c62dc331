"""Every RPC as every role on every row, against the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from dealwright.api.v1.access_pb2 import access
from embedded.catalogue import NAMES, load
from tests.security.asking import PROBES
from tests.security.cells import Runner
from tests.security.house import House
from tests.security.matrix import ALL, CALLERS, LEADS, OWNED, PEOPLE, Expected, table
from tests.security.ownerless import OWNERLESS

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


def without_rows(house: House, lines: Mapping[str, Expected]) -> list[str]:
    """The RPCs about what has an owner or a team that are not asked about his own, a mate's and another's, those that
    should say why they need not be, and those that say so and are."""
    single = {rpc for rpc, line in lines.items() if len(line.cells["admin"]) < len(PEOPLE)}
    owned = {rpc for rpc in lines if house.methods[rpc].GetOptions().Extensions[access].resource in OWNED}
    return sorted((single & owned) | (single ^ set(OWNERLESS)))


def test_P6_every_rpc_is_asked_about_what_is_his_own_a_mates_and_anothers_or_says_why_not(house: House) -> None:
    assert without_rows(house, TABLE) == []
    assert {probe.rows for probe in PROBES.values()} == {ALL, PEOPLE, LEADS}
    assert LEADS[:3] == PEOPLE


def test_P6_an_rpc_that_loses_its_rows_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = Expected("", dict.fromkeys(CALLERS, "D"))
    for rpc in ("directory.DirectoryService.DeleteTeam", "leads.LeadService.SubmitForm"):
        assert without_rows(house, {**TABLE, rpc: fewer}) == [rpc]
    # Nor does a word in the list do for an RPC about people.
    monkeypatch.setitem(OWNERLESS, "directory.DirectoryService.GetPerson", "no reason")
    changed = {**TABLE, "directory.DirectoryService.GetPerson": fewer}
    assert without_rows(house, changed) == ["directory.DirectoryService.GetPerson"]


@pytest.mark.parametrize("rpc", sorted(TABLE))
def test_P5_P6_P7_each_role_gets_exactly_what_the_matrix_says_and_a_no_writes_nothing(
    rpc: str, either_runner: Runner
) -> None:
    wrong = either_runner.run(TABLE[rpc])
    assert not wrong, "\n".join(wrong)


def test_P5_the_matrix_has_refusals_and_grants_for_every_role() -> None:
    seen = Counter((caller, letter) for line in TABLE.values() for caller in CALLERS for letter in line.cells[caller])
    for role in CALLERS[:5]:
        assert seen[role, "Y"] > 5
    for role in ("manager", "sales", "backoffice", "finance"):
        assert seen[role, "D"] > 20
    assert {letter for caller, letter in seen if caller == "forged"} == {"A"}
