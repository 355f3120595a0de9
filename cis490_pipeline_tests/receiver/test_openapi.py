"""The description of the interface is true: schemathesis tries it, and it lists every route."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.routing import Route
from starlette.testclient import TestClient

from cis490_pipeline.receiver.app import build_app
from cis490_pipeline.receiver.keeper import open_keeper
from cis490_pipeline.receiver.limits import Limits
from cis490_pipeline.receiver.openapi import document
from cis490_pipeline.receiver.tokens import Access, Tokens
from cis490_pipeline.schema.ids import host_id_or_none
from cis490_pipeline_tests.receiver.doors import Door, address

BUILT: dict[str, Any] = {}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = Path(tmp_path_factory.mktemp("openapi"))
    with open_keeper(root) as keeper:
        tokens = Tokens(keeper.layout.tokens)
        BUILT["Authorization"] = f"Bearer {tokens.add('lab-a', Access.HOST)}"
        app = build_app(keeper, tokens, Limits(max_bytes=10_000))
        client = TestClient(app)
        for number in range(3):
            headers = {"Authorization": BUILT["Authorization"]}
            assert client.put(address(number), content=b"x", headers=headers).status_code == 201
        yield schemathesis.openapi.from_asgi("/v1/openapi.json", app)


OPERATIONS = [
    (path, method)
    for path, item in document(Limits())["paths"].items()
    for method in item
    if method != "parameters"
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_description_promises(
    described: Any, path: str, method: str
) -> None:
    """Valid and invalid requests of one operation, through all of schemathesis' checks."""
    statuses: set[int] = set()

    @given(case=described[path][method.upper()].as_strategy())
    @settings(
        derandomize=True,
        max_examples=30,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call(headers={"Authorization": BUILT["Authorization"]})
        # that a header has to be the hash of the body is more than a schema can say
        related = answer.status_code == 400 and answer.json()["error"] == "other-sha256"
        excluded = [positive_data_acceptance] if related else []
        case.validate_response(answer, excluded_checks=excluded)
        statuses.add(answer.status_code)
        assert answer.status_code < 500

    ask()
    assert statuses


def test_the_description_lists_exactly_the_routes(door: Door) -> None:
    app: Any = door.client.app
    routes = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    described = {
        (path, method)
        for path, item in document(Limits())["paths"].items()
        for method in item
        if method != "parameters"
    }
    extra = routes - described
    assert described - routes == set()
    # HEAD comes with every GET; it is worth a word where it is worth asking
    assert {method for _, method in extra} <= {"head"}


@pytest.mark.parametrize("path", [address(0), "/v1/index", "/v1/health", "/v1/openapi.json"])
def test_another_method_is_told_what_there_is(door: Door, path: str) -> None:
    answer = door.ask("POST", path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json()["error"] == "bad-method"


def test_another_path_is_nothing_and_no_redirect(door: Door) -> None:
    for path in ("/", "/v1", "/v1/health/", "/v1/episodes", "/docs"):
        answer = door.ask("GET", path, follow_redirects=False)
        assert (answer.status_code, answer.json()["error"]) == (404, "no-route")


def test_health_needs_no_token_and_tells_no_secret(door: Door) -> None:
    door.put(b"x")
    answer = door.ask("GET", "/v1/health", None)
    assert answer.json() == {"status": "ok", "episodes": 1, "uploading": 0, "max_bytes": 1000}


@pytest.mark.parametrize(
    "name", ["a", "a.b", "a.", "A-_.9", "a" * 63, "a" * 64, "a..b", ".a", "-a", "", "é", "a.b.c."]
)
def test_the_described_form_of_a_host_is_the_real_one(name: str) -> None:
    import re

    parameter = document(Limits())["paths"]["/v1/episodes/{host}/{episode}"]["parameters"][0]
    form = parameter["schema"]
    described = re.fullmatch(form["pattern"], name) and len(name) <= form["maxLength"]
    assert bool(described) == (host_id_or_none(name) is not None)


def test_a_fault_of_the_program_is_said_without_its_details(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(door.keeper), "held", fails)
    answer = door.ask("GET", address(0))
    assert (answer.status_code, answer.json()["error"]) == (500, "fault")
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text
