"""Made-up requests of every operation, signed in as the administrator, against the running /openapi.json.

Answers must be what the document says, never a 5xx; requests that do not fit the document must be refused. What it is
kept from doing stands in tests/security/examples.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.doors import openapi
from gateway.doors.addresses import addresses, methods
from tests.security import examples_reports
from tests.security.examples import COVERAGE, EXAMPLES, GUARDED, NEVER_FINE, SOUND, SOUND_QUERIES, UNTOUCHED, real_names
from tests.security.examples_calls import Call, sound_call
from tests.security.examples_deals import MAKERS, Deals
from tests.security.front import ADMIN_PASSWORD, Front, open_front

ALWAYS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Of each operation at most: each makes records first, which takes longer than the call itself.
SOUND_ONES = 6
LABELS = sorted(
    f"{verb.upper()} {path}"
    for path, verbs in openapi.document(addresses(methods()))["paths"].items()
    for verb in verbs
)
# Draws as Hypothesis does, but each example afresh: its own search copies parts of one example into others, throws two
# of five of those away, and takes more processor time than everything that is sent and answered.
AVAILABLE_PROVIDERS["plain"] = HypothesisProvider


def calm(examples: int) -> settings:
    """The same examples on every machine and run, however slow it is."""
    return settings(
        max_examples=examples,
        derandomize=True,
        backend="plain",
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A house for made-up requests alone: nobody minds what becomes of it."""
    with open_front(tmp_path_factory.mktemp("tried")) as made:
        yield made


@pytest.fixture(scope="module")
def names(tried: Front, deals: Deals) -> Mapping[str, list[str]]:
    found = dict(real_names(tried))
    deals.set_up(found["person"])
    for kind, make in (MAKERS | examples_reports.MAKERS).items():
        found[kind] = [make(deals).rpartition("/")[2] for _ in range(2)]
    found["pipeline"] = ["six-stage", "four-stage"]
    found["report"] = list(examples_reports.REPORTS)
    return found


@pytest.fixture(scope="module")
def deals(tried: Front) -> Deals:
    return Deals(tried)


@pytest.fixture(scope="module")
def schema(tried: Front) -> Any:
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    return schemathesis.openapi.from_dict(tried.done("GET", "/openapi.json"), config=config)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


def operation_of(schema: Any, label: str) -> Any:
    verb, _, path = label.partition(" ")
    return schema[path][verb]


def headers(front: Front, label: str, salt: int) -> dict[str, str]:
    token = front.token
    if label == "DELETE /v1/sessions/current":
        token = front.sign_in("admin", ADMIN_PASSWORD)
    return {"Authorization": f"Bearer {token}", "Accept-Language": "zh-CN" if salt % 2 else "en"}


@pytest.mark.parametrize("label", LABELS)
def test_made_up_requests_get_an_answer_of_the_document_and_no_5xx(
    label: str, tried: Front, schema: Any, names: Mapping[str, list[str]], deals: Deals, session: requests.Session
) -> None:
    operation = operation_of(schema, label)
    sound, fits = sound_call(label), set[int]()

    # The salt makes examples of operations that have no parameters differ.
    @calm(EXAMPLES - wrong_ones(operation))
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE), salt=st.integers(0, 10**9))
    def fitting(case: Any, salt: int) -> None:
        if salt % 4:
            for name in case.path_parameters or {}:
                known = names.get("untouched" if label in UNTOUCHED else name)
                if known and label.startswith("DELETE"):  # the others want something that is still there
                    known = known[: len(known) // 2]
                elif known and len(known) > 3:
                    known = known[len(known) // 2 :]
                if known:
                    case.path_parameters[name] = quote(known[salt % len(known)], safe="/")
        if salt % 3 == 0:
            if label in SOUND:
                case.body = SOUND[label](salt)
            if label in SOUND or label in SOUND_QUERIES:
                case.query = SOUND_QUERIES[label](salt) if label in SOUND_QUERIES else {}
            if sound is not None and (salt in fits or len(fits) < SOUND_ONES):
                fits.add(salt)
                fit(case, sound(deals, salt))
        answer = case.call(base_url=tried.url, session=session, headers=headers(tried, label, salt))
        COVERAGE.note(label, answer.status_code, False)
        case.validate_response(answer, checks=ALWAYS)

    @calm(max(1, wrong_ones(operation)))
    @given(case=unfitting_cases(operation), salt=st.integers(0, 10**9))
    def unfitting(case: Any, salt: int) -> None:
        answer = case.call(base_url=tried.url, session=session, headers=headers(tried, label, salt))
        COVERAGE.note(label, answer.status_code, True)
        refusal = [] if means_nothing(case.body) or a_row_refused(answer) else [negative_data_rejection]
        case.validate_response(answer, checks=[*ALWAYS, *refusal])
        if only_a_name(operation):
            assert answer.status_code in (400, 404), (case.path_parameters, answer.text)

    fitting()
    if wrong_ones(operation):
        unfitting()
    assert tried("GET", "/v1/sessions/current").status_code == 200, f"{label} took the administrator's session away"


def fit(case: Any, call: Call) -> None:
    """Says that instead of what was made up."""
    if call.name:
        (parameter,) = case.path_parameters
        case.path_parameters[parameter] = quote(call.name.rpartition("/")[2])
    if call.body is not None:
        case.body, case.media_type = call.body, "application/json"
    if call.query is not None:
        case.query = call.query


def means_nothing(body: Any) -> bool:
    """Whether a null is in it: protobuf's JSON takes null for "not given", which the document does not say."""
    if isinstance(body, dict):
        return any(map(means_nothing, body.values()))
    return body is None or (isinstance(body, list) and any(map(means_nothing, body)))


def a_row_refused(answer: Any) -> bool:
    """Whether a batch told a row of it that it is wrong: it never fails the others."""
    results = answer.json().get("results", []) if answer.status_code == 200 else []
    return any("error" in row for row in results)


def wrong_ones(operation: Any) -> int:
    """How many requests that do not fit are tried: fewer where a name is all that can be wrong; none where nothing
    can be."""
    if list(operation.body) or list(operation.query):
        return EXAMPLES // 3
    return EXAMPLES // 10 if only_a_name(operation) else 0


def only_a_name(operation: Any) -> bool:
    """Whether the path is all that says what is wanted."""
    return bool(list(operation.path_parameters)) and not list(operation.body) and not list(operation.query)


def unfitting_cases(operation: Any) -> st.SearchStrategy[Any]:
    """Requests that are wrong on purpose. A name that is none is any text with a sign in it that no name has: of
    those Schemathesis makes up, one of seventy happens to have one."""
    if not only_a_name(operation):
        made_up: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        return made_up
    (parameter,) = operation.path_parameters
    assert parameter.definition["schema"]["pattern"] == "^[^/:]+$"
    named = st.tuples(st.text(), st.sampled_from("/:"), st.text()).map(lambda parts: quote("".join(parts), safe=""))
    return named.flatmap(lambda name: operation.as_strategy(path_parameters={parameter.name: name}))


def test_made_up_requests_reach_every_operation_and_most_succeed_at_times(tried: Front) -> None:
    if set(COVERAGE.codes) != set(LABELS):
        pytest.skip("only a part of the operations was asked for")
    document = tried.done("GET", "/openapi.json")["paths"]
    assert {f"{verb.upper()} {path}" for path, verbs in document.items() for verb in verbs} == set(COVERAGE.codes)
    assert all(codes.total() >= EXAMPLES for codes in COVERAGE.codes.values())
    every = set(itertools.chain.from_iterable(COVERAGE.codes.values()))
    assert not [code for code in every if code >= 500]
    never = {label for label, codes in COVERAGE.codes.items() if not codes[200]}
    assert never <= set(NEVER_FINE), sorted(never - set(NEVER_FINE))
    assert set(GUARDED) | set(NEVER_FINE) <= set(LABELS)
