"""Whose a customer is: who sees and changes it, how it changes hands, what becomes of a leaver's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.access import Principal, Scope
from chassis.errors import Denied, NotFound, Problem, Refused, Stale
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2
from tests.customers.desk import ADMIN, CLERK, LI, MANAGER, WANG, Desk, principal

BLIND = principal("people/nobody", "sales", Scope.NONE)
MATE = principal("people/mate", "sales", Scope.OWN, "teams/east")


@pytest.fixture
def theirs(desk: Desk) -> dict[str, str]:
    """One customer of each standing, by a word for it."""
    return {
        "mine": desk.create(owner="people/li").name,
        "others": desk.create(owner="people/wang").name,
        "nobodys": desk.create().name,
        "shared": desk.create(owner="people/li", shared_with_team=True).name,
    }


@pytest.mark.parametrize(
    ("who", "sees", "changes"),
    [
        (LI, {"mine", "shared"}, {"mine", "shared"}),
        (MATE, {"shared"}, set()),
        (WANG, {"others"}, {"others"}),
        (MANAGER, {"mine", "nobodys", "shared"}, {"mine", "nobodys", "shared"}),
        (CLERK, {"mine", "others", "nobodys", "shared"}, {"mine", "others", "nobodys", "shared"}),
    ],
)
def test_C15_P6_whoever_has_a_right_sees_and_changes_what_its_scope_covers(
    desk: Desk, theirs: dict[str, str], who: Principal, sees: set[str], changes: set[str]
) -> None:
    contacts = {word: desk.contact(name).name for word, name in theirs.items()}
    assert set(desk.names(who)) == {theirs[word] for word in sees}
    listed = desk.call("ListContacts", pb.ListContactsRequest(), who).contacts
    assert {one.name for one in listed} == {contacts[word] for word in sees}
    for word, name in theirs.items():
        acts: list[Callable[[], object]] = [
            lambda name=name: desk.update(name, "address", address="新址", who=who),  # type: ignore[misc]
            lambda name=name: desk.contact(name, who),  # type: ignore[misc]
            lambda word=word: desk.call(  # type: ignore[misc]
                "UpdateContact", pb.UpdateContactRequest(contact=pb.Contact(name=contacts[word], title="经理")), who
            ),
        ]
        expected = None if word in changes else Denied if word in sees else NotFound
        for act in acts:
            assert outcome(act) is expected, word
        assert outcome(lambda name=name: desk.get(name, who)) is (None if word in sees else NotFound)  # type: ignore[misc]


def outcome(act: Callable[[], object]) -> type[Problem] | None:
    try:
        act()
    except Problem as problem:
        return type(problem)
    return None


def test_P6_who_has_no_right_at_all_gets_nothing(desk: Desk, theirs: dict[str, str]) -> None:
    for act in (lambda: desk.names(BLIND), lambda: desk.get(theirs["mine"], BLIND), lambda: desk.hand_overs(BLIND)):
        assert outcome(act) is Denied


def test_C15_a_customer_changes_hands_by_whoever_may_change_owners_alone(desk: Desk, theirs: dict[str, str]) -> None:
    name = theirs["mine"]
    for who, expected in ((LI, Denied), (CLERK, Denied), (WANG, NotFound)):
        assert outcome(lambda who=who: desk.transfer(name, "people/wang", who)) is expected  # type: ignore[misc]
    desk.announced()
    moved = desk.transfer(name, "people/wang", MANAGER)
    assert (moved.owner, moved.team, moved.owner_version) == ("people/wang", "teams/west", 2)
    (told,) = desk.announced(events_pb2.OwnerTransferred)
    assert (told.customer.owner, told.previous_owner, told.how) == ("people/wang", "people/li", "MANUAL")
    assert outcome(lambda: desk.get(name, LI)) is NotFound
    assert desk.transfer(name, "people/wang") == moved


def test_an_update_never_changes_the_owner(desk: Desk, theirs: dict[str, str]) -> None:
    assert outcome(lambda: desk.update(theirs["mine"], "owner", owner="people/wang")) is not None
    assert desk.update(theirs["mine"], "address", address="x", owner="people/wang").owner == "people/li"


@pytest.mark.parametrize("receiver", ["people/stranger", "people/gone"])
def test_C15_nobody_who_left_or_is_unknown_receives_customers(desk: Desk, receiver: str) -> None:
    desk.hire(("people/gone", "teams/east", "sales"), active=False)
    made = desk.create()
    acts: list[Callable[[], object]] = [
        lambda: desk.transfer(made.name, receiver),
        lambda: desk.create(owner=receiver),
    ]
    for act in acts:
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.reason == "CANNOT_RECEIVE"
    assert outcome(lambda: desk.create(LI, owner="people/wang")) is Denied


def test_L31_of_two_transfers_at_once_one_wins_and_the_other_is_stale(desk: Desk) -> None:
    made = desk.create(owner="people/boss")

    def give(owner: str) -> object:
        try:
            return desk.transfer(made.name, owner, etag=made.etag).owner
        except Stale:
            return None

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(give, ["people/li", "people/wang"] * 4))
    winners = [owner for owner in got if owner]
    assert len(winners) == 1
    now = desk.get(made.name)
    assert (now.owner, now.owner_version) == (winners[0], 2)


# --- hand-overs ---


def leave(desk: Desk, person: str = "people/li", team: str = "teams/east") -> None:
    desk.hire((person, team, "sales"), active=False, version=2)


def test_C16_what_a_leaver_had_waits_for_the_managers_word_and_nothing_moves_by_itself(desk: Desk) -> None:
    mine = {desk.create(owner="people/li").name for _ in range(3)}
    desk.create(owner="people/wang")
    leave(desk)
    waiting = desk.hand_overs(MANAGER, filter="state = OPEN")
    assert {one.customer for one in waiting} == mine
    assert {(one.person, one.owner) for one in waiting} == {("people/li", "")}
    assert {desk.get(name).owner for name in mine} == {"people/li"}
    assert desk.hand_overs(WANG) == []
    assert len(desk.hand_overs(ADMIN)) == 3


def confirm(desk: Desk, name: str, who: Principal = MANAGER, owner: str = "people/wang") -> pb.HandOver:
    answer: pb.HandOver = desk.call("ConfirmHandOver", pb.ConfirmHandOverRequest(name=name, owner=owner), who)
    return answer


def test_C16_the_manager_confirms_one_and_it_changes_hands(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    leave(desk)
    (waiting,) = desk.hand_overs(MANAGER)
    for who, expected in (
        (WANG, Denied),
        (CLERK, Denied),
        (principal("people/b2", "manager", Scope.TEAM, "teams/west"), NotFound),
    ):
        assert outcome(lambda who=who: confirm(desk, waiting.name, who)) is expected  # type: ignore[misc]
    desk.announced()
    done = confirm(desk, waiting.name)
    assert (done.state, done.owner, done.confirmed_by) == (pb.HandOver.CONFIRMED, "people/wang", "people/boss")
    assert done.HasField("confirm_time")
    assert desk.get(made.name).owner == "people/wang"
    (told,) = desk.announced(events_pb2.OwnerTransferred)
    assert (told.how, told.previous_owner) == ("HAND_OVER", "people/li")
    with pytest.raises(Refused) as refused:
        confirm(desk, waiting.name)
    assert refused.value.reason == "SETTLED"


def test_C16_the_manager_confirms_many_at_once_all_or_none(desk: Desk) -> None:
    mine = [desk.create(owner="people/li").name for _ in range(5)]
    leave(desk)
    names = [one.name for one in desk.hand_overs(MANAGER)]
    confirm(desk, names[0])
    request = pb.BatchConfirmHandOversRequest(names=names, owner="people/wang")
    assert outcome(lambda: desk.call("BatchConfirmHandOvers", request, MANAGER)) is Refused
    assert sum(desk.get(name).owner == "people/wang" for name in mine) == 1
    request = pb.BatchConfirmHandOversRequest(names=names[1:], owner="people/wang")
    done = desk.call("BatchConfirmHandOvers", request, MANAGER).hand_overs
    assert [one.name for one in done] == names[1:]
    assert {desk.get(name).owner for name in mine} == {"people/wang"}
    assert desk.hand_overs(MANAGER, filter="state = OPEN") == []


def test_C16_a_transfer_by_hand_settles_what_waited(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    leave(desk)
    desk.transfer(made.name, "people/wang", MANAGER)
    (settled,) = desk.hand_overs(ADMIN)
    assert (settled.state, settled.owner) == (pb.HandOver.CONFIRMED, "people/wang")


def test_C16_however_often_it_is_heard_that_somebody_left_each_customer_waits_once(desk: Desk) -> None:
    desk.create(owner="people/li")
    left = directory_events_pb2.PersonLeft(person="people/li", manager="people/boss")
    desk.hear("leavers", left)
    leave(desk)
    desk.hear("leavers", left)
    assert len(desk.hand_overs(ADMIN)) == 1


def test_C16_a_leavers_customer_that_comes_back_from_deletion_waits_too(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    desk.transfer(made.name, "people/wang")
    desk.call("DeleteCustomer", pb.DeleteCustomerRequest(name=made.name))
    leave(desk, "people/wang", "teams/west")
    desk.call("UndeleteCustomer", pb.UndeleteCustomerRequest(name=made.name))
    assert [one.customer for one in desk.hand_overs(ADMIN, filter="state = OPEN")] == [made.name]
