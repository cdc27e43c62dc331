"""Opportunities are opened, changed, listed, given away, deleted and brought back."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis import clock
from chassis.access import Scope
from chassis.migration import migrate
from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities.usecases import keeping
from tests.opportunities.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, later, money, open_runtime, principal, refused

CUSTOMER, CONTACT = f"customers/{1:032x}", f"contacts/{2:032x}"
TODAY = datetime.now(UTC).astimezone(clock.company_zone()).date()


def test_O1_O3_O4_O5_O6_an_opportunity_keeps_everything_a_salesperson_knows_of_it(desk: Desk) -> None:
    desk.know((CUSTOMER, ""), (CONTACT, CUSTOMER))
    given = pb.Opportunity(
        title="华东仓储系统",
        customer=CUSTOMER,
        contact=CONTACT,
        lead=f"leads/{3:032x}",
        amount=money(500_000, 500_000_000),
        expected_close_date=(TODAY + timedelta(days=60)).isoformat(),
        win_probability=35,
        need="需要\n三个仓库",
        products=["WMS", "扫码枪"],
        budget=money(600_000),
        decision_cycle="三个月",
        blocker="预算审批",
        importance=pb.Opportunity.IMPORTANT,
        collaborators=[pb.Opportunity.Collaborator(person="people/zhao", part="报价")],
        position="采购总监",
        phone="138 1234 5678",
        email="Wang@Example.cn",
        source="展会",
        industry="物流",
        company_size="500-1000",
        follow_up_status="已拜访",
    )
    given.custom.update({"区域": "华东", "级别": 3})
    made = desk.call("CreateOpportunity", pb.CreateOpportunityRequest(opportunity=given))
    for field, value in given.ListFields():
        if field.name not in ("phone", "email"):
            assert getattr(made, field.name) == value, field.name
    assert (made.phone, made.email) == ("+8613812345678", "wang@example.cn")
    assert (made.owner, made.team, made.owner_version) == ("people/li", "teams/east", 1)
    assert (made.pipeline, made.stage, made.status) == ("pipelines/six-stage", "first-visit", pb.Opportunity.OPEN)
    assert made.create_time == made.update_time == made.stage_time
    assert desk.get(made.name) == made
    told = {type(event).__name__: event for event in desk.announced()}
    assert sorted(told) == ["CollaboratorAdded", "OpportunityChanged", "OpportunityOpened"]
    made.ClearField("collaborator_progress")  # computed, not told
    assert (told["OpportunityChanged"].opportunity, told["OpportunityChanged"].version) == (made, 1)
    assert told["OpportunityOpened"].number == made.number


def test_O1_customer_contact_and_owner_are_people_and_companies_that_are_known(desk: Desk) -> None:
    other = f"customers/{9:032x}"
    desk.know((CUSTOMER, ""), (other, ""), (CONTACT, CUSTOMER))
    with refused("INVALID", "opportunity.customer"):
        desk.open(customer=f"customers/{77:032x}")
    with refused("INVALID", "opportunity.contact"):
        desk.open(customer=other, contact=CONTACT)
    desk.know((other, ""), deleted=True, version=2)
    desk.know((other, ""), version=1)  # told late
    with refused("INVALID", "opportunity.customer"):
        desk.open(customer=other)
    desk.hire(("people/zhao", "teams/east", "sales"), active=False, version=2)
    with refused("INVALID", "opportunity.owner"):
        desk.open(BOSS, owner="people/zhao")
    assert desk.open(customer=CUSTOMER, contact=CONTACT).contact == CONTACT


def test_O7_O8_a_negative_amount_and_a_close_date_before_today_are_refused(desk: Desk) -> None:
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    for wrong in (money(-1), money(0, -10_000_000), money(1, 1), money(1, currency="yuan"), money(10**12)):
        with refused("INVALID", "opportunity.amount"):
            desk.open(amount=wrong)
    for wrong in (money(1, 1_000_000), money(100, 500_000_000, "JPY")):  # part of a coin
        with refused("INVALID", "opportunity.amount"):
            desk.open(amount=wrong)
    for wrong_day in ("2026-02-30", "1999-01-01", "20261201", "tomorrow"):
        with refused("INVALID", "opportunity.expected_close_date"):
            desk.open(expected_close_date=wrong_day)
    with refused("INVALID", "opportunity.expected_close_date"):
        desk.open(expected_close_date=yesterday)
    made = desk.open(amount=money(0), expected_close_date=TODAY.isoformat())
    assert made.HasField("amount")
    with refused("INVALID", "opportunity.expected_close_date"):
        desk.change(made.name, expected_close_date=yesterday)
    past = desk.change(made.name, expected_close_date=yesterday, more={"historical": True})
    assert past.expected_close_date == yesterday
    # What is past already does not stand in the way of another change.
    assert desk.change(made.name, title="改名", expected_close_date=yesterday).title == "改名"


def test_O2_numbers_carry_the_day_of_the_company_and_rise(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # 17:00 in UTC is 01:00 of the next day in Shanghai.
    evening = datetime(2031, 3, 4, 17, tzinfo=UTC)
    with later(evening - datetime.now(UTC), monkeypatch):
        numbers = [desk.open().number for _ in range(3)]
    assert numbers == ["CRM-20310305-0001", "CRM-20310305-0002", "CRM-20310305-0003"]
    assert re.fullmatch(rf"CRM-{TODAY:%Y%m%d}-0001", desk.open().number)


@pytest.mark.cluster
def test_O2_64_creators_at_once_get_64_numbers(postgres_url: str, tmp_path: Path) -> None:
    desk = Desk(open_runtime(postgres_url, tmp_path))
    desk.hire(("people/li", "teams/east", "sales"))
    desk.know((CUSTOMER, ""))
    together = threading.Barrier(64)

    def create(turn: int) -> list[str]:
        together.wait()
        return [desk.open(customer=CUSTOMER, title=f"{turn}").number for _ in range(5)]

    with ThreadPoolExecutor(64) as pool:
        numbers = [number for made in pool.map(create, range(64)) for number in made]
    assert len(set(numbers)) == len(numbers) == 320
    desk.runtime.database.dispose()


def test_P_own_team_and_all_see_what_is_theirs_and_write_no_more(desk: Desk) -> None:
    mine, mate, other = desk.open(LI, title="李"), desk.open(ZHAO, title="赵"), desk.open(WANG, title="王")
    assert desk.listed(LI) == ["李"]
    assert sorted(desk.listed(BOSS)) == ["李", "赵"]
    assert sorted(desk.listed(ADMIN)) == ["李", "王", "赵"]
    for name, who in ((mate.name, LI), (other.name, BOSS)):
        with refused("NOT_FOUND"):
            desk.get(name, who)
        with refused("NOT_FOUND"):
            desk.change(name, who=who, title="夺")
        with refused("NOT_FOUND"):
            desk.history(name, who)
    with refused("DENIED"):
        desk.open(LI, owner="people/zhao")
    with refused("DENIED"):
        desk.open(BOSS, owner="people/wang")
    clerk = principal("people/boss", "backoffice", Scope.ALL)
    with refused("DENIED"):
        desk.open(clerk, owner="people/zhao")
    with refused("DENIED"):
        desk.act("Transfer", mate.name, clerk, owner="people/li")
    assert desk.open(BOSS, owner="people/zhao").team == "teams/east"
    assert desk.get(mine.name, BOSS).owner == "people/li"


def test_P_hidden_and_read_only_fields_cannot_be_written_or_filtered_by(desk: Desk) -> None:
    blind = principal("people/li", "sales", Scope.OWN, hidden=frozenset({"amount"}), read_only=frozenset({"blocker"}))
    made = desk.open()
    with refused("INVALID", "amount"):
        desk.change(made.name, who=blind, amount=money(1))
    with refused("DENIED"):
        desk.change(made.name, who=blind, blocker="无")
    with refused("INVALID", "filter"):
        desk.listed(blind, filter="amount > 1")
    with refused("INVALID", "orderBy"):
        desk.listed(blind, order_by="amount")


def test_two_people_who_edit_one_opportunity_do_not_overwrite_each_other(desk: Desk) -> None:
    made = desk.open()
    first = desk.change(made.name, title="甲", mask="title", etag=made.etag)
    with refused("STALE"):
        desk.change(made.name, title="乙", mask="title", etag=made.etag)
    assert (desk.get(made.name).title, first.etag) == ("甲", "2")
    # The same again changes nothing, not even the version.
    assert desk.change(made.name, title="甲").etag == "2"


def test_custom_values_are_changed_key_by_key(desk: Desk) -> None:
    given = pb.Opportunity(title="x")
    given.custom.update({"区域": "华东", "级别": 3})
    made = desk.call("CreateOpportunity", pb.CreateOpportunityRequest(opportunity=given))
    patch = pb.Opportunity(name=made.name)
    patch.custom.update({"级别": 4})
    changed = desk.change(made.name, mask="custom.级别", custom=patch.custom)
    assert dict(changed.custom) == {"区域": "华东", "级别": 4}
    assert dict(desk.change(made.name, mask="custom.区域").custom) == {"级别": 4}
    with refused("INVALID", "update_mask.amount.units"):
        desk.change(made.name, mask="amount.units")
    for name in ("owner", "status", "number", "pipeline"):
        with refused("INVALID", f"update_mask.{name}"):
            desk.change(made.name, mask=name)


def test_what_was_deleted_comes_back_within_30_days(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = desk.open()
    gone = desk.act("Delete", made.name)
    assert gone.HasField("delete_time")
    with refused("NOT_FOUND"):
        desk.get(made.name)
    assert desk.listed() == []
    assert desk.listed(show_deleted=True) == ["年度采购"]
    assert desk.act("Undelete", made.name).title == "年度采购"
    with refused("NOT_DELETED"):
        desk.act("Undelete", made.name)
    desk.act("Delete", made.name)
    deleted = [event.deleted for event in desk.announced(events_pb2.OpportunityChanged)]
    assert deleted == [False, True, False, True]
    with later(timedelta(days=29), monkeypatch), desk.runtime.transaction() as tx:
        keeping.purge(tx)
    assert desk.listed(show_deleted=True) == ["年度采购"]
    with later(timedelta(days=31), monkeypatch), desk.runtime.transaction() as tx:
        keeping.purge(tx)
    assert desk.listed(show_deleted=True) == []
    with refused("NOT_FOUND"):
        desk.act("Undelete", made.name)


def test_C2_an_owner_changes_by_compare_and_set_alone(desk: Desk) -> None:
    made = desk.open()
    with refused("DENIED"):
        desk.act("Transfer", made.name, LI, owner="people/zhao")
    with refused("DENIED"):
        desk.act("Transfer", made.name, BOSS, owner="people/wang")
    given = desk.act("Transfer", made.name, BOSS, owner="people/zhao", owner_version=1, reason="休假")
    assert (given.owner, given.owner_version) == ("people/zhao", 2)
    with refused("STALE"):
        desk.act("Transfer", made.name, ADMIN, owner="people/wang", owner_version=1)
    assert desk.act("Transfer", made.name, ADMIN, owner="people/wang", owner_version=2).team == "teams/west"
    with refused("NOT_FOUND"):
        desk.get(made.name, LI)


def test_lists_are_filtered_and_sorted_by_amount_and_other_columns(desk: Desk) -> None:
    for title, amount in (("小", money(900, 990_000_000)), ("大", money(20_000)), ("无", None)):
        desk.open(title=title, amount=amount, products=["WMS"] if amount else [])
    desk.open(title="外币", amount=money(1000, currency="USD"))
    assert desk.listed(order_by="amount desc") == ["大", "外币", "小", "无"]
    assert desk.listed(filter="amount > 900.98 AND currency = CNY", order_by="amount") == ["小", "大"]
    assert desk.listed(filter="amount >= 901 AND currency = CNY") == ["大"]
    assert desk.listed(filter="products:WMS AND amount < 1000") == ["小"]
    assert desk.listed(filter='owner = "people/wang"') == []
    with refused("INVALID", "filter"):
        desk.listed(filter="amount > 1.23456")
    first = desk.call("ListOpportunities", pb.ListOpportunitiesRequest(page_size=3, order_by="amount desc"), ADMIN)
    rest = pb.ListOpportunitiesRequest(page_size=3, order_by="amount desc", page_token=first.next_page_token)
    assert [one.title for one in desk.call("ListOpportunities", rest, ADMIN).opportunities] == ["无"]
    assert first.total_size == 4


def test_a_request_sent_twice_opens_one_opportunity(tmp_path: Path) -> None:
    import grpc

    from chassis.embedding import Embedding
    from chassis.settings import Settings
    from dealwright.customers.v1 import customers_pb2
    from dealwright.customers.v1 import events_pb2 as customer_events
    from dealwright.directory.v1 import directory_pb2
    from dealwright.directory.v1 import events_pb2 as directory_events
    from dealwright.opportunities.v1 import opportunities_pb2_grpc
    from opportunities.main import service

    house = Embedding([service], Settings(data=tmp_path))
    house.start()
    try:
        runtime = house.runtimes["opportunities"]
        with runtime.transaction() as tx:
            person = directory_pb2.Person(name="people/li", display_name="李", team="teams/east", role="sales")
            tx.emit(directory_events.PersonChanged(person=person, version=1))
        metadata = (("authorization", f"Bearer {runtime.tokens.sign(LI)}"),)

        def tell() -> None:
            """The customer is heard of while the call waits."""
            threading.Event().wait(0.3)
            with runtime.transaction() as tx:
                customer = customers_pb2.Customer(name=CUSTOMER, display_name="华东物流", owner="people/li")
                tx.emit(customer_events.CustomerChanged(customer=customer, version=1))

        with grpc.insecure_channel(house.addresses["opportunities"]) as channel:
            stub = opportunities_pb2_grpc.OpportunityServiceStub(channel)
            opportunity = pb.Opportunity(title="一次", customer=CUSTOMER)
            request = pb.CreateOpportunityRequest(opportunity=opportunity, request_id="r1")
            teller = threading.Thread(target=tell)
            teller.start()
            made = stub.CreateOpportunity(request, metadata=metadata)
            teller.join()
            assert stub.CreateOpportunity(request, metadata=metadata) == made
            assert len(stub.ListOpportunities(pb.ListOpportunitiesRequest(), metadata=metadata).opportunities) == 1
    finally:
        house.stop()


def test_metadata_and_migrations_agree(desk: Desk) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    migrate(desk.runtime)
    with desk.runtime.database.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        found = [d for d in compare_metadata(context, desk.runtime.service.metadata) if "alembic" not in str(d)]
    assert found == []
