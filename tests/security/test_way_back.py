"""A way back in: a password that nobody knows any more, without a mail server and without anybody who could invite."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.security.front import ADMIN_PASSWORD, Front, open_front

NEW = "the one that we keep this time"


def command(data: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DEALWRIGHT_")}
    run = [sys.executable, "-m", "embedded.command", *words]
    return subprocess.run(
        run, env={**kept, "DATA": str(data), **settings}, capture_output=True, text=True, timeout=60, check=False
    )


def test_U5_a_lost_administrators_password_is_replaced_by_who_holds_the_data_folder(tmp_path: Path) -> None:
    with open_front(tmp_path) as front:
        done = command(tmp_path, "invite", "Admin", HOST="127.0.0.1", PORT=str(front.port))
        assert done.returncode == 0, done
        (link,) = re.findall(r"\S+/password#token=\S+", done.stdout)
        address, _, token = link.partition("#token=")
        assert address == f"{front.url}/password"
        front.done("POST", "/v1/passwordResets:redeem", token="", json={"token": token, "password": NEW})
        assert front.sign_in("admin", NEW)
        old = {"login": "admin", "password": ADMIN_PASSWORD}
        assert front("POST", "/v1/sessions", token="", json=old).status_code == 401
        again = {"token": token, "password": NEW}
        assert front("POST", "/v1/passwordResets:redeem", token="", json=again).json()["reason"] == "TOKEN_SPENT"
        assert token not in "".join(path.read_text(errors="replace") for path in tmp_path.glob("*.db*"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("invited")


@pytest.fixture(scope="module")
def inviting(folder: Path) -> Iterator[Front]:
    """One house, over that folder, for those who only ask."""
    with open_front(folder) as made:
        yield made


@pytest.mark.usefixtures("inviting")
@pytest.mark.parametrize("login", ["nobody", "people/nobody", "", "\x1b[1m"])
def test_U5_nobody_is_invited_who_is_not_there(login: str, folder: Path) -> None:
    done = command(folder, "invite", login.replace("\x00", ""))
    assert (done.returncode, "password#" in done.stdout) == (1, False)
    assert "找不到" in done.stdout


def test_U5_without_a_directory_one_line_says_what_to_set(tmp_path: Path) -> None:
    done = command(tmp_path / "nothing", "invite", "admin")
    assert done.returncode == 1
    assert "DATA" in done.stdout
    assert not (tmp_path / "nothing").exists()


def test_U5_an_invitations_link_opens_a_page_of_the_gateway_that_answered(inviting: Front) -> None:
    person = inviting.done("POST", "/v1/people", json={"login": "li", "role": "sales"})["name"]
    link = inviting.done("POST", f"/v1/{person}:invite", json={})["link"]
    page, _, token = link.partition("#token=")
    assert page == f"{inviting.url}/password"
    assert token
    check_page(inviting)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def check_page(front: Front) -> None:
    """The page works under its policy, and for who does not see it."""
    answer = front("GET", "/password", token="")
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = _Page()
    page.feed(answer.text)
    assert not page.of("style")
    assert not [a for _, a in page.tags if any(name == "style" or name.startswith("on") for name in a)]
    (script,), (sheet,) = page.of("script"), page.of("link")
    for path in (script["src"], sheet["href"]):
        assert path
        assert path.startswith("/")
        assert front("GET", path, token="").status_code == 200
    ids = {a["id"] for _, a in page.tags if "id" in a}
    labelled = {a.get("for") for a in page.of("label")}
    for field in page.of("input"):
        assert field["id"] in labelled or field["type"] == "checkbox"
        assert set((field.get("aria-describedby") or "state").split()) <= ids
    assert {a.get("role") for _, a in page.tags} >= {"alert", "status"}
    told = [a for _, a in page.tags if "data-zh" in a]
    assert told
    assert all(a.get("data-zh") and a.get("data-en") for a in told)
    source = front("GET", "/password.js", token="").text
    (posted,) = re.findall(r'fetch\("([^"]+)"', source)
    assert front("POST", posted, token="", json={"token": "x", "password": NEW}).json()["reason"] == "TOKEN_SPENT"
    assert set(re.findall(r'find\("([^"]+)"\)', source)) <= ids
