"""The matrix again, for a sample of calls, as people really come in: with a session's token through the gateway."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from gateway.doors.serving import Gateway
from gateway.main import serve
from gateway.settings import GatewaySettings
from tests.security.front import Front, checked_problem
from tests.security.house import PASSWORD, House
from tests.security.matrix import CALLERS, LEADS, PEOPLE, ROLES, table
from tests.security.watching import Watch, differences

TABLE = table()
STATUS = {"Y": 200, "O": 200, "S": 200, "U": 200, "D": 403, "N": 404, "A": 401, "P": 409}
# RPC, verb, address with {lead} or {person} of the row, body.
SAMPLE: list[tuple[str, str, str, Any]] = [
    ("leads.LeadService.GetLead", "GET", "/v1/{lead}", None),
    ("leads.LeadService.UpdateLead", "PATCH", "/v1/{lead}", {"company": "新名"}),
    ("leads.LeadService.ContactLead", "POST", "/v1/{lead}:contact", {}),
    ("leads.LeadService.ClaimLead", "POST", "/v1/{lead}:claim", {}),
    ("leads.LeadService.QualifyLead", "POST", "/v1/{lead}:qualify", {}),
    ("leads.LeadService.DisqualifyLead", "POST", "/v1/{lead}:disqualify", {"reason": "无意向"}),
    ("leads.LeadService.ReleaseLead", "POST", "/v1/{lead}:release", {}),
    ("leads.LeadService.ListTouchpoints", "GET", "/v1/{lead}/touchpoints", None),
    ("rules.RuleService.ListDecisions", "GET", "/v1/{decided}/decisions", None),
    ("rules.RuleService.ListTimers", "GET", "/v1/{decided}/timers", None),
    ("rules.RuleService.VerifyJournal", "POST", "/v1/journal:verify", {}),
    ("rules.RuleService.GetPolicy", "GET", "/v1/policies/assignment", None),
    ("directory.DirectoryService.GetPerson", "GET", "/v1/{person}", None),
    ("directory.DirectoryService.UpdatePerson", "PATCH", "/v1/{person}", {"seniority": "senior"}),
    ("directory.DirectoryService.SetPresence", "POST", "/v1/{person}:setPresence", {"presence": "AWAY"}),
    ("directory.DirectoryService.InvitePerson", "POST", "/v1/{person}:invite", {}),
    ("directory.DirectoryService.ListRoles", "GET", "/v1/roles", None),
    ("directory.DirectoryService.ListCalendars", "GET", "/v1/calendars", None),
    ("gateway.GatewayService.GetBlueprint", "GET", "/v1/blueprint", None),
    ("leads.LeadService.ListForms", "GET", "/v1/forms", None),
]


@pytest.fixture(scope="module")
def gateway(house: House) -> Iterator[Gateway]:
    wide = {"address_rate": 0, "sign_in_rate": 0, "session_rate": 0, "http_port": 0, "front_door_port": 0}
    runtime = house.runtimes["gateway"]
    opened = serve(runtime, GatewaySettings(data=house.folder, drain_seconds=0.2, **wide))  # type: ignore[arg-type]
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def sessions(gateway: Gateway) -> Mapping[str, str]:
    """A real session's token for each role; none for anonymous, one that is none for forged."""
    found = {"anonymous": "", "forged": "0" * 43}
    for role in ROLES:
        given = {"login": f"{role}1", "password": PASSWORD}
        found[role] = ask(gateway, "POST", "/v1/sessions", "", given).json()["token"]
    return found


def ask(gateway: Gateway, verb: str, path: str, token: str, body: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return session.request(verb, gateway.url + path, headers=headers, json=body, timeout=30)


@pytest.mark.parametrize(("rpc", "verb", "path", "body"), SAMPLE, ids=[s[0].rpartition(".")[2] for s in SAMPLE])
def test_P5_P6_through_the_gateway_a_session_gets_what_the_matrix_says(
    rpc: str, verb: str, path: str, body: Any, house: House, watch: Watch, gateway: Gateway, sessions: Mapping[str, str]
) -> None:
    wrong = []
    for caller in CALLERS:
        letters = TABLE[rpc].cells[caller]
        rows = LEADS if len(letters) == len(LEADS) else PEOPLE if len(letters) == len(PEOPLE) else ("any",)
        who = caller if caller in ROLES else "sales"
        for row, letter in zip(rows, letters, strict=True):
            where = path.format_map(Names(house, who, row))
            before = watch.hashes() if letter in "DNAP" else {}
            answer = ask(gateway, verb, where, sessions[caller], body)
            if answer.status_code != STATUS[letter]:
                wrong.append(
                    f"{caller}/{row}: {STATUS[letter]} expected, {answer.status_code} found {answer.text[:200]}"
                )
            if letter in "DNAP" and (changed := differences(before, watch.hashes())):
                wrong.append(f"{caller}/{row}: {letter}, and yet it changed {changed}")
            if answer.status_code >= 400:
                checked_problem(answer)
    assert not wrong, "\n".join(wrong)


class Names(dict[str, str]):
    """Names of a row, made when they are asked for."""

    def __init__(self, house: House, who: str, row: str) -> None:
        super().__init__()
        self._make = {"lead": house.fresh, "person": house.person, "decided": house.decided_for}
        self._row = (house, who, row)

    def __missing__(self, key: str) -> str:
        _, who, row = self._row
        return self._make[key](who, row)


def test_P5_a_persons_session_has_no_way_to_what_is_for_services_alone(
    gateway: Gateway, sessions: Mapping[str, str]
) -> None:
    for path in (
        "/v1/sessions:resolve",
        "/dealwright.directory.v1.DirectoryService/ResolveSession",
        "/dealwright.blueprint.v1.BlueprintService/GetPart",
    ):
        assert ask(gateway, "POST", path, sessions["admin"], {"token": sessions["admin"]}).status_code == 404


# --- the live feed ---


class Listener:
    """Reads a feed in a thread until it is closed."""

    def __init__(self, front: Front, token: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._session = requests.Session()
        self._session.trust_env = False
        self._answer = self._session.get(
            f"{front.url}/v1/feed", headers={"Authorization": f"Bearer {token}"}, stream=True, timeout=30
        )
        assert self._answer.status_code == 200, self._answer.text
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._answer.iter_lines(chunk_size=1):
                if line.startswith(b"data: "):
                    self.events.append(json.loads(line[6:]))
        except (requests.RequestException, AttributeError, ValueError):
            return

    def of(self, kind: str, subject: str) -> dict[str, Any] | None:
        return next((e for e in self.events if (e.get("type"), e.get("subject")) == (kind, subject)), None)

    def close(self) -> None:
        self._answer.raw.shutdown()  # or the thread that reads would keep us until the next sign of life
        self._answer.close()
        self._session.close()


def test_P6_P7_the_feed_tells_nobody_what_he_may_not_see(front: Front) -> None:
    def person(login: str, role: str, **values: Any) -> str:
        given = {"displayName": login, "login": login, "role": role, "password": PASSWORD, **values}
        return str(front.done("POST", "/v1/people", json=given)["name"])

    role = front.done("GET", "/v1/roles/backoffice")
    hidden = ["region", "owner", "captureTime"]
    grants = [{**g, "hiddenFields": hidden} if g["resource"] == "leads" else g for g in role["grants"]]
    front.done("PATCH", "/v1/roles/backoffice", json={"grants": grants})
    owner = person("feed-owner", "sales", region="青海")
    person("feed-stranger", "sales", region="西藏")
    person("feed-finance", "finance")
    person("feed-clerk", "backoffice")
    logins = ("feed-owner", "feed-stranger", "feed-finance", "feed-clerk")
    listeners = {login: Listener(front, front.sign_in(login, PASSWORD)) for login in logins}
    listeners["admin"] = Listener(front, front.token)
    try:
        time.sleep(0.3)
        captured = {"lead": {"phone": "13012345678", "region": "青海"}}
        lead = front.done("POST", "/v1/leads:capture", json=captured)["lead"]["name"]
        until = time.monotonic() + 15
        while not (listeners["admin"].of("LeadAssigned", lead) and listeners["feed-clerk"].of("LeadAssigned", lead)):
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(0.5)
        seen = {login: one.of("LeadAssigned", lead) for login, one in listeners.items()}
        assert seen["feed-owner"]
        assert seen["admin"]
        assert seen["admin"]["data"]["owner"] == owner
        assert seen["feed-stranger"] is None
        assert seen["feed-finance"] is None
        clerk = json.dumps(seen["feed-clerk"], ensure_ascii=False)
        assert "青海" not in clerk
        assert owner not in clerk
        assert "captureTime" not in clerk
    finally:
        for one in listeners.values():
            one.close()
        front.done("PATCH", "/v1/roles/backoffice", json={"grants": role["grants"]})
