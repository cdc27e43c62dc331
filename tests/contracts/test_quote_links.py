"""Links by which a customer opens a quote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.access import ANONYMOUS
from chassis.errors import NotFound, Refused
from contracts.storage import quotes as stored
from contracts.usecases import quote_links
from dealwright.contracts.v1 import events_pb2
from dealwright.contracts.v1 import quotes_pb2 as pb
from tests.contracts.desk import ADMIN, LI, Desk, later, money, refused
from tests.contracts.quoting import Line, act, approve, change, get, line, product, quote

TODAY = datetime.now(UTC).astimezone(clock.company_zone()).date()


def _offered(desk: Desk, valid_until: str = "") -> str:
    desk.deal()
    made = quote(desk, line(100, tax_percent="13"), valid_until=valid_until)
    approve(desk, made.name)
    return made.name


def _token(link: pb.QuoteLink) -> str:
    return link.url.removeprefix("/q/")


def _open(desk: Desk, token: str, seen: bool = True) -> pb.PublicQuote:
    shown: pb.PublicQuote = desk.call("OpenQuoteLink", pb.OpenQuoteLinkRequest(token=token, seen=seen), ANONYMOUS)
    return shown


def test_Q15_the_owner_is_told_the_first_time_and_later_openings_are_counted(desk: Desk) -> None:
    name = _offered(desk)
    token = _token(act(desk, "Link", name))
    before = get(desk, name)
    desk.announced()
    _open(desk, token, seen=False)
    assert desk.announced() == []
    shown = _open(desk, token)
    opened, changed = sorted(desk.announced(), key=lambda told: type(told).__name__, reverse=True)
    assert isinstance(opened, events_pb2.QuoteOpened)
    assert (opened.quote.name, opened.quote.owner, opened.first) == (name, "people/li", True)
    assert isinstance(changed, events_pb2.QuoteChanged)
    first = get(desk, name)
    assert (first.open_count, first.first_open_time) == (1, opened.open_time)
    _open(desk, token)
    (again,) = desk.announced()
    assert (again.first, again.quote.open_count) == (False, 2)
    after = get(desk, name)
    assert (after.open_count, after.etag) == (2, first.etag)
    assert int(first.etag) == int(before.etag) + 1
    assert (shown.number, shown.customer, shown.contact) == (before.number, "华东物流有限公司", "王芳")
    assert (shown.total, shown.seller) == (money(113), "people/li")


def test_Q15_a_link_is_told_again_and_kept_nowhere(desk: Desk) -> None:
    name = _offered(desk)
    link = act(desk, "Link", name)
    assert act(desk, "Link", name, ADMIN) == link
    token = _token(link)
    assert len(token) == 43
    with desk.runtime.reading() as tx:
        kept = str(tx.execute(sa.select(stored.quote_links)).all())
    assert token not in kept


def test_Q15_what_the_company_knows_is_not_on_the_customers_page(desk: Desk) -> None:
    desk.deal()
    name = product(desk, price=100).name
    made = quote(desk, Line(product=name, unit_price=money(90)))
    approve(desk, made.name)
    shown = _open(desk, _token(act(desk, "Link", made.name)))
    assert (shown.lines[0].unit_price, shown.lines[0].HasField("list_price")) == (money(90), False)
    assert (shown.lines[0].product, shown.lines[0].description) == ("", "WMS 系统")


def test_Q15_only_an_approved_quote_has_a_link(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, line())
    with refused("NOT_APPROVED"):
        act(desk, "Link", made.name)
    act(desk, "Submit", made.name)
    with refused("NOT_APPROVED"):
        act(desk, "Link", made.name)


@pytest.mark.parametrize("how", ["unlink", "revise", "delete", "expiry", "another"])
def test_Q15_a_link_that_was_ended_or_is_over_cannot_be_told_from_one_that_never_was(
    desk: Desk, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _offered(desk, (TODAY + timedelta(days=5)).isoformat())
    token, wait = _token(act(desk, "Link", name)), timedelta()
    if how == "unlink":
        act(desk, "Unlink", name)
        with refused("NOT_LINKED"):
            act(desk, "Unlink", name)
    elif how == "revise":
        act(desk, "Revise", name)
    elif how == "delete":
        act(desk, "Delete", name)
    elif how == "expiry":
        wait = timedelta(days=6)
    else:
        token = "A" * 43
    desk.announced()
    with later(wait, monkeypatch), pytest.raises(NotFound) as problem:
        _open(desk, token)
    assert problem.value.english == "It was not found."
    assert desk.announced() == []


@pytest.mark.parametrize(
    ("over", "again"),
    [
        ({"open": False, "lost": True}, {}),
        ({"deleted": True}, {}),
        ({"open": False, "lost": True}, {"open": False}),  # on hold
    ],
    ids=["lost", "deleted", "put on hold"],
)
def test_Q15_an_offer_ends_with_its_deal_and_goes_on_with_it(
    desk: Desk, over: dict[str, Any], again: dict[str, Any]
) -> None:
    name = _offered(desk)
    token = _token(act(desk, "Link", name))
    desk.deal(version=2, **over)
    desk.announced()
    for seen in (True, False):
        with refused("ENDED"):
            _open(desk, token, seen)
    with pytest.raises(Refused, match="has ended"), desk.runtime.reading() as tx:
        quote_links.linked(tx, token)
    assert (desk.announced(), get(desk, name).open_count) == ([], 0)
    desk.deal(version=3, **again)
    assert _open(desk, token).number == get(desk, name).number
    (told,) = desk.announced(events_pb2.QuoteOpened)
    assert told.first


def test_Q15_a_link_lasts_until_the_end_of_the_last_day(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    name = _offered(desk, valid_until=TODAY.isoformat())
    link = act(desk, "Link", name, LI)
    end = datetime.combine(TODAY + timedelta(days=1), datetime.min.time(), clock.company_zone())
    assert link.expire_time.ToDatetime(UTC) == end
    with later(timedelta(days=1), monkeypatch), refused("EXPIRED"):
        act(desk, "Link", name)


def test_Q15_a_link_to_a_quote_without_an_end_lasts_thirty_days(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.deal()
    made = quote(desk, line(100))
    change(desk, made.name, mask="valid_until")
    approve(desk, made.name)
    token = _token(act(desk, "Link", made.name))
    for days, over in ((29, False), (30, True)):
        with later(timedelta(days=days, minutes=1), monkeypatch):
            if over:
                with pytest.raises(NotFound):
                    _open(desk, token)
            else:
                assert _open(desk, token).valid_until == ""


@pytest.mark.parametrize("token", ["", "x" * 5000, "../q", "%00"])
def test_Q15_a_token_of_another_form_opens_nothing(desk: Desk, token: str) -> None:
    with pytest.raises(NotFound):
        _open(desk, token)
