"""Sessions, passwords, invitations, mails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from email.message import Message
from socket import create_connection, gethostname
from threading import local
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from structlog.testing import capture_logs

from chassis import clock
from chassis.errors import Refused
from dealwright.directory.v1 import directory_pb2 as pb
from directory.usecases import passwords, sessions
from directory.usecases.settings import settings
from tests.passwords import IN_PRODUCTION

PASSWORD = "a long enough one"


def _later(**time: float) -> Any:
    return time_machine.travel(clock.now() + timedelta(**time), tick=True)


# --- sessions ---


def test_U5_signing_in_gives_a_token_that_the_gateway_exchanges_for_the_principal(any_house: Any) -> None:
    person = any_house.add("li")
    session = any_house.nobody().CreateSession(login=" LI ", password=PASSWORD, totp="123456")
    assert len(session.token) == 43
    assert (session.person.name, session.role.name) == (person.name, "roles/sales")
    answer = any_house.gateway().ResolveSession(token=session.token)
    assert (answer.principal.person, answer.principal.role) == (person.name, "sales")
    assert answer.cache_for.seconds == 5
    mine = any_house.signed_in(session.token).GetSession()
    assert (mine.person.name, mine.token) == (person.name, "")


def test_a_token_is_stored_as_its_hash_alone(any_house: Any) -> None:
    token = any_house.token("admin")
    stored = any_house.texts()
    assert token not in stored
    assert hashlib.sha256(token.encode()).hexdigest() in stored


def test_a_wrong_login_a_wrong_password_and_nobody_s_password_are_answered_alike(house: Any) -> None:
    said = []
    for login, password in (("admin", "wrong password"), ("nobody", PASSWORD), ("sample", ""), ("\u202e", "x")):
        if not password:
            password = "anything at all"
        with pytest.raises(Exception, match="UNAUTHENTICATED") as caught:
            house.nobody().CreateSession(login=login, password=password)
        said.append(str(caught.value))
    assert len(set(said)) == 1


@pytest.fixture
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is hashed costs what it does there."""
    monkeypatch.setattr(passwords, "_hasher", IN_PRODUCTION)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.mark.usefixtures("as_in_production")
def test_an_unknown_login_costs_one_hash_like_a_known_one(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes: list[str] = []
    real = passwords._hasher

    def verify(stored: str, given: bytes) -> bool:
        hashes.append(stored)
        return real.verify(stored, given)

    monkeypatch.setattr(
        passwords, "_hasher", SimpleNamespace(verify=verify, hash=real.hash, check_needs_rehash=real.check_needs_rehash)
    )
    for login in ("admin", "nobody", "sample"):
        with pytest.raises(Exception, match="UNAUTHENTICATED"):
            house.nobody().CreateSession(login=login, password="wrong password")
    assert len(hashes) == 3
    assert all("m=47104,t=1,p=1" in stored for stored in hashes)


def test_no_password_is_hashed_while_the_one_writer_is_held(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here, held = local(), list[bool]()
    write = house.runtime.database.write

    @contextmanager
    def noted() -> Iterator[Any]:
        with write() as connection:
            here.writing = True
            try:
                yield connection
            finally:
                here.writing = False

    monkeypatch.setattr(house.runtime.database, "write", noted)
    for name in ("hashed", "matches"):
        real = getattr(passwords, name)

        def watched(*values: str, real: Any = real) -> Any:
            held.append(getattr(here, "writing", False))
            return real(*values)

        monkeypatch.setattr(passwords, name, watched)
    me = house.add("li")
    house.admin.UpdatePerson(person=pb.Person(name=me.name, password="another long one"))
    mine = house.signed_in(house.token("li", "another long one"))
    mine.ChangePassword(name=me.name, current_password="another long one", new_password=PASSWORD)
    link = house.admin.InvitePerson(name=me.name).link
    house.nobody().RedeemPasswordToken(token=link.split("token=")[1], password="the third of them")
    assert len(held) >= 6
    assert not any(held)


def test_a_session_ends_by_signing_out_idleness_or_age(any_house: Any) -> None:
    out, idle, used = any_house.token("admin"), any_house.token("admin"), any_house.token("admin")
    any_house.signed_in(out).DeleteSession()
    with pytest.raises(Exception, match="UNAUTHENTICATED"):
        any_house.principal(out)
    for hours in range(10, 161, 10):
        with _later(hours=hours):
            assert any_house.principal(used).person
    with _later(hours=12.1), pytest.raises(Exception, match="UNAUTHENTICATED"):
        any_house.principal(idle)
    with _later(hours=168.1), pytest.raises(Exception, match="UNAUTHENTICATED"):
        any_house.principal(used)
    with _later(hours=169):
        any_house.run_loop("expired sessions")
    assert "sessions/" not in any_house.texts().replace("sessions/current", "")


def test_reading_a_principal_writes_nothing_but_now_and_then(house: Any) -> None:
    token = house.token("admin")
    before = house.texts()
    house.principal(token)
    assert house.texts() == before
    with _later(minutes=6):
        house.principal(token)
    assert house.texts() != before


def test_after_ten_failures_from_one_address_even_the_right_password_waits_there_and_nowhere_else(
    any_house: Any,
) -> None:
    any_house.add("li")

    def wrong(number: int) -> str:
        try:
            any_house.nobody(f"2001:db8::{number}").CreateSession(login="li", password=f"wrong {number}")
        except Exception as said:
            return str(said).split()[0]
        return "in"

    with ThreadPoolExecutor(8) as pool:  # one place: a household has all the addresses of its network
        answers = list(pool.map(wrong, range(14)))
    assert sorted(answers) == ["RESOURCE_EXHAUSTED"] * 4 + ["UNAUTHENTICATED"] * 10
    with pytest.raises(Exception, match="TOO_MANY_SIGN_INS"):
        any_house.nobody("2001:db8::ffff").CreateSession(login="li", password=PASSWORD)
    assert any_house.nobody("2001:db8:0:1::1").CreateSession(login="li", password=PASSWORD).token
    assert any_house.nobody("2001:db8::ffff").CreateSession(login="admin", password=PASSWORD).token
    with _later(minutes=15.1):
        assert any_house.nobody("2001:db8::ffff").CreateSession(login="li", password=PASSWORD).token


def test_nobody_locks_another_out_from_many_addresses_only_slows_him_down(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALWRIGHT_SIGN_IN_SLOW_AFTER", "5")
    monkeypatch.setenv("DEALWRIGHT_SIGN_IN_WAIT", "0.6")
    settings.cache_clear()
    waits: list[float] = []
    real = sessions._hold_up

    def hold_up(seconds: float) -> None:
        waits.append(seconds)
        real(seconds)

    monkeypatch.setattr(sessions, "_hold_up", hold_up)
    house.add("li")
    for number in range(12):
        with pytest.raises(Exception, match="UNAUTHENTICATED"):
            house.nobody(f"10.0.0.{number}").CreateSession(login="li", password="wrong password")
    assert waits == [0, 0, 0, 0, 0, 0.25, 0.5, *[0.6] * 5]
    began = clock.monotonic()
    assert house.nobody("10.1.1.1").CreateSession(login="li", password=PASSWORD).token
    assert 0.6 <= clock.monotonic() - began < 5
    waits.clear()
    assert house.nobody("10.1.1.1").CreateSession(login="admin", password=PASSWORD).token
    assert waits == [0]


def test_who_signs_in_forgives_no_failures_of_another_address(house: Any) -> None:
    house.add("li")
    for number in range(10):
        with pytest.raises(Exception, match="UNAUTHENTICATED"):
            house.nobody("6.6.6.6").CreateSession(login="li", password=f"wrong {number}")
        assert house.nobody("7.7.7.7").CreateSession(login="li", password=PASSWORD).token
    with pytest.raises(Exception, match="TOO_MANY_SIGN_INS"):
        house.nobody("6.6.6.6").CreateSession(login="li", password=PASSWORD)


def test_only_so_many_are_made_to_wait_at_once(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_SIGN_IN_SLOW_AFTER", "1")
    settings.cache_clear()
    taken = [sessions._waiting.acquire(blocking=False) for _ in range(16)]
    try:
        assert all(taken)
        with pytest.raises(Exception, match="UNAUTHENTICATED"):
            house.nobody("10.0.0.1").CreateSession(login="li", password="wrong password")
        with pytest.raises(Exception, match="RESOURCE_EXHAUSTED"):
            house.nobody("10.0.0.2").CreateSession(login="li", password="wrong password")
    finally:
        for _ in taken:
            sessions._waiting.release()


def test_of_two_tries_at_once_the_second_waits_to_be_counted(any_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_SIGN_IN_FAILURES", "1")
    settings.cache_clear()

    def second() -> None:
        with any_house.runtime.transaction() as tx:
            sessions.begin_attempt(tx, "li", "")

    with ThreadPoolExecutor(1) as pool:
        with any_house.runtime.transaction() as tx:
            sessions.begin_attempt(tx, "li", "")
            late = pool.submit(second)
            with pytest.raises(TimeoutError):
                late.result(0.3)
        with pytest.raises(Refused, match="Too many"):
            late.result(10)


def test_a_success_forgets_the_failures_before_it(house: Any) -> None:
    for _ in range(2):
        for _ in range(9):
            with pytest.raises(Exception, match="UNAUTHENTICATED"):
                house.nobody().CreateSession(login="admin", password="wrong password")
        assert house.token("admin")


def test_an_address_that_tries_many_logins_is_stopped_and_others_are_not(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALWRIGHT_SIGN_IN_FAILURES_PER_ADDRESS", "12")
    settings.cache_clear()
    for number in range(12):
        with pytest.raises(Exception, match="UNAUTHENTICATED"):
            house.nobody("6.6.6.6").CreateSession(login=f"n{number}", password="wrong password")
    with pytest.raises(Exception, match="RESOURCE_EXHAUSTED"):
        house.nobody("6.6.6.6").CreateSession(login="admin", password=PASSWORD)
    assert house.nobody("7.7.7.7").CreateSession(login="admin", password=PASSWORD).token


# --- passwords ---


def test_changing_one_s_password_needs_the_current_one_and_ends_the_other_sessions(any_house: Any) -> None:
    me = any_house.add("li")
    mine, other = any_house.token("li"), any_house.token("li")
    caller = any_house.signed_in(mine)
    with pytest.raises(Exception, match="WRONG_PASSWORD"):
        caller.ChangePassword(name=me.name, current_password="wrong", new_password="another long one")
    with pytest.raises(Exception, match="new_password"):
        caller.ChangePassword(name=me.name, current_password=PASSWORD, new_password="short")
    with pytest.raises(Exception, match="new_password"):
        caller.ChangePassword(name=me.name, current_password=PASSWORD, new_password="x" * 201)
    caller.ChangePassword(name=me.name, current_password=PASSWORD, new_password="another long one")
    assert any_house.principal(mine)
    with pytest.raises(Exception, match="UNAUTHENTICATED"):
        any_house.principal(other)
    assert any_house.token("li", "another long one")


def test_an_open_session_is_no_place_to_guess_the_password_at(house: Any) -> None:
    me = house.add("li")
    caller = house.as_login("li")
    for _ in range(10):
        with pytest.raises(Exception, match="WRONG_PASSWORD"):
            caller.ChangePassword(name=me.name, current_password="guess", new_password="another long one")
    with pytest.raises(Exception, match="RESOURCE_EXHAUSTED"):
        caller.ChangePassword(name=me.name, current_password=PASSWORD, new_password="another long one")


def test_who_guesses_at_the_door_keeps_nobody_from_changing_his_password(house: Any) -> None:
    me = house.add("li")
    caller = house.as_login("li")
    for number in range(10):
        with pytest.raises(Exception, match="UNAUTHENTICATED"):
            house.nobody("6.6.6.6").CreateSession(login="li", password=f"wrong {number}")
    caller.ChangePassword(name=me.name, current_password=PASSWORD, new_password="another long one")
    assert house.token("li", "another long one")


def test_an_administrator_sets_another_s_password_without_the_old_one(house: Any) -> None:
    me = house.add("li")
    token = house.token("li")
    house.admin.ChangePassword(name=me.name, new_password="another long one")
    with pytest.raises(Exception, match="UNAUTHENTICATED"):
        house.principal(token)
    assert house.token("li", "another long one")


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaa",
        "abababababab",
        "abcabcabcabc",
        "1234567890",
        "0987654321",
        "qwertyuiop",
        "Password123",
        "PASSWORDpassword",
        "ｐａｓｓｗｏｒｄ１２３",
        "aaaaaaaaaa!",
    ],
)
def test_a_password_that_is_tried_first_is_none(password: str, house: Any) -> None:
    me = house.add("li")
    caller = house.as_login("li")
    link = house.admin.InvitePerson(name=me.name).link
    one, same = pb.Person(login="wu", role="sales", password=password), pb.Person(name=me.name, password=password)
    nobody, token = house.nobody(), link.split("token=")[1]
    tries: list[tuple[str, Callable[[], Any]]] = [
        ("person.password", lambda: house.admin.CreatePerson(person=one)),
        ("person.password", lambda: house.admin.UpdatePerson(person=same)),
        ("new_password", lambda: caller.ChangePassword(name=me.name, current_password=PASSWORD, new_password=password)),
        ("password", lambda: nobody.RedeemPasswordToken(token=token, password=password)),
    ]
    for field, call in tries:
        with pytest.raises(Exception, match="INVALID_ARGUMENT") as said:
            call()
        assert f"{field}: is too easy to guess" in str(said.value)
    assert house.token("li")


@pytest.mark.parametrize(
    "password", ["abcdabcde1", "correct horse", "1234567891", "密码很长也不好猜呀" * 2, "aB3$aB3$aB3$x"]
)
def test_a_password_that_only_looks_like_one_of_those_is_fine(password: str, house: Any) -> None:
    house.admin.CreatePerson(person=pb.Person(login="wu", role="sales", password=password))
    assert house.token("wu", password)


# --- invitations ---


def test_an_invitation_s_link_sets_the_password_once(any_house: Any) -> None:
    person = any_house.admin.CreatePerson(person=pb.Person(login="li", role="sales"))
    invitation = any_house.admin.InvitePerson(name=person.name)
    assert not invitation.mailed
    token = invitation.link.split("#token=")[1]
    assert token not in any_house.texts()
    any_house.nobody().RedeemPasswordToken(token=token, password="my own new one")
    assert any_house.token("li", "my own new one")
    with pytest.raises(Exception, match="TOKEN_SPENT"):
        any_house.nobody().RedeemPasswordToken(token=token, password="my own new two")


def test_a_fresh_link_ends_the_one_before_and_a_repeated_request_gives_the_same(house: Any) -> None:
    person = house.admin.CreatePerson(person=pb.Person(login="li", role="sales"))
    first = house.admin.InvitePerson(name=person.name, request_id="r1")
    assert house.admin.InvitePerson(name=person.name, request_id="r1") == first
    second = house.admin.InvitePerson(name=person.name, request_id="r2")
    assert second.link != first.link
    with pytest.raises(Exception, match="TOKEN_SPENT"):
        house.nobody().RedeemPasswordToken(token=first.link.split("#token=")[1], password="my own new one")
    assert first.link.split("#token=")[1] not in house.texts()


def test_a_link_expires_after_three_days(house: Any) -> None:
    person = house.admin.CreatePerson(person=pb.Person(login="li", role="sales"))
    token = house.admin.InvitePerson(name=person.name).link.split("#token=")[1]
    with _later(hours=72.1), pytest.raises(Exception, match="TOKEN_SPENT"):
        house.nobody().RedeemPasswordToken(token=token, password="my own new one")
    with _later(hours=71.9):
        house.nobody().RedeemPasswordToken(token=token, password="my own new one")


# --- mails ---


class _Box(MessageHandler):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.mails.append(message)

    def token(self) -> str:
        payload = self.mails[-1].get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode().split("#token=")[1].split()[0]


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Box]:
    """A real mail server on a free port."""
    handler = _Box()
    controller = Controller(handler, hostname="127.0.0.1", port=0)

    def port_of() -> int:
        server: Any = controller.server
        return int(server.sockets[0].getsockname()[1])

    # The controller makes sure of itself by connecting to its port, which it does not know when it asked for 0.
    controller._trigger_server = lambda: create_connection(("127.0.0.1", port_of()), 5).close()  # type: ignore[method-assign]
    controller.start()
    port = port_of()
    monkeypatch.setenv("DEALWRIGHT_SMTP_URL", f"smtp://127.0.0.1:{port}")
    monkeypatch.setenv("DEALWRIGHT_PUBLIC_URL", "https://crm.example.com/")
    settings.cache_clear()
    yield handler
    controller.stop()


def test_an_invitation_goes_by_mail_where_a_server_is_set(any_house: Any, box: _Box) -> None:
    person = any_house.add("li", email="li@example.com")
    answer = any_house.admin.InvitePerson(name=person.name)
    assert (answer.link, answer.mailed) == ("", True)
    assert box.mails == []
    any_house.run_loop("mails")
    any_house.run_loop("mails")
    assert [m["To"] for m in box.mails] == ["li@example.com"]
    assert box.token() not in any_house.texts()
    any_house.nobody().RedeemPasswordToken(token=box.token(), password="my own new one")
    assert any_house.token("li", "my own new one")


def test_a_reset_is_mailed_to_who_exists_and_answered_alike_to_who_does_not(house: Any, box: _Box) -> None:
    house.add("li", email="li@example.com")
    token = house.token("li")
    for login in ("li", "nobody", "\x00", "sample"):
        house.nobody().RequestPasswordReset(login=login)
    house.run_loop("mails")
    assert len(box.mails) == 1
    with _later(hours=1.1), pytest.raises(Exception, match="TOKEN_SPENT"):
        house.nobody().RedeemPasswordToken(token=box.token(), password="my own new one")
    house.nobody().RedeemPasswordToken(token=box.token(), password="my own new one")
    with pytest.raises(Exception, match="UNAUTHENTICATED"):
        house.principal(token)


def test_a_reset_that_no_mail_can_answer_is_told_to_who_runs_the_system(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEALWRIGHT_SMTP_URL", raising=False)
    settings.cache_clear()
    me = house.add("li")
    with capture_logs() as said:
        for login in ("li", "nobody"):
            house.nobody().RequestPasswordReset(login=login)
        house.admin.GetPerson(name=me.name)
    (line,) = [one for one in said if "password reset" in one["event"]]
    assert (line["log_level"], line["person"]) == ("warning", me.name)
    assert "dealwright invite" in line["event"]
    assert "DEALWRIGHT_SMTP_URL" in line["why"]


def test_links_start_where_people_reach_the_gateway(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    me = house.add("li")

    def start(**env: str) -> str:
        for name in ("HOST", "PORT", "TLS_CERT", "DEALWRIGHT_PUBLIC_URL", "DEALWRIGHT_HOST", "DEALWRIGHT_PORT"):
            monkeypatch.delenv(name, raising=False)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        return str(house.admin.InvitePerson(name=me.name).link.split("/password#token=")[0])

    assert start() == "http://127.0.0.1:8080"
    assert start(HOST="crm.lan", PORT="8443", TLS_CERT="/tls.pem") == "https://crm.lan:8443"
    assert start(HOST="::1", PORT="81") == "http://[::1]:81"
    assert start(HOST="0.0.0.0", PORT="80") == f"http://{gethostname()}:80"
    assert start(HOST="crm.lan", DEALWRIGHT_PUBLIC_URL="https://crm.example.com/") == "https://crm.example.com"


def test_nobody_floods_a_mailbox_with_resets(house: Any, box: _Box) -> None:
    house.add("li", email="li@example.com")
    for _ in range(8):
        house.nobody().RequestPasswordReset(login="li")
    for _ in range(3):
        house.run_loop("mails")
    assert len(box.mails) == 3


def test_a_mail_waits_for_the_server_and_is_not_lost(house: Any, box: _Box, monkeypatch: pytest.MonkeyPatch) -> None:
    there = settings().smtp_url.get_secret_value()
    monkeypatch.setenv("DEALWRIGHT_SMTP_URL", "smtp://127.0.0.1:9")
    settings.cache_clear()
    person = house.add("li", email="li@example.com")
    house.admin.InvitePerson(name=person.name)
    house.run_loop("mails")
    monkeypatch.setenv("DEALWRIGHT_SMTP_URL", there)
    settings.cache_clear()
    house.run_loop("mails")
    assert box.mails == []
    with _later(minutes=3):
        house.run_loop("mails")
        house.run_loop("mails")
    assert len(box.mails) == 1
    with _later(minutes=30):
        house.run_loop("mails")
    assert len(box.mails) == 1
