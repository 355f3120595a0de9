"""Other origins, other names, and what a browser is told of everything that it gets."""

import json
from pathlib import Path

import pytest

from cis490_pipeline.live.guard import host_of
from cis490_pipeline_tests.live.hubs import living_hub
from cis490_pipeline_tests.live.made_up import phase

PATHS = ("/", "/v1/health", "/v1/episodes", "/v1/nothing", "/metrics", "/v1/events.schema.json")


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "x@localhost", "a b", "["]
)
def test_a_name_that_is_not_the_servers_is_refused(tmp_path: Path, name: str) -> None:
    with living_hub(tmp_path) as served:
        for path in (*PATHS, "/v1/events"):
            status, _, content = served.ask("GET", path, headers={"Host": name})
            assert (status, json.loads(content)["error"]) == (421, "other-host")


def test_the_names_that_it_was_given_and_loopback_are_its_own(tmp_path: Path) -> None:
    with living_hub(tmp_path, names=["Wall.lab"]) as served:
        for name in ("wall.lab", "WALL.lab:8491", "localhost", "127.0.0.1:1", "[::1]:9"):
            assert served.ask("GET", "/v1/health", headers={"Host": name})[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "http://127.0.0.1", "http://127.0.0.1:1", "http://[", "file:"],
)
def test_a_page_of_another_origin_is_refused(tmp_path: Path, origin: str) -> None:
    with living_hub(tmp_path) as served:
        headers = {"Origin": origin, "Authorization": f"Bearer {served.token}"}
        for method, path in (
            ("GET", "/v1/episodes"),
            ("GET", "/v1/events"),
            ("POST", "/v1/events"),
        ):
            status, answered, content = served.ask(method, path, headers=headers)
            assert (status, json.loads(content)["error"]) == (403, "other-origin")
            assert "access-control-allow-origin" not in answered
        own = {"Origin": f"http://127.0.0.1:{served.port}"}
        assert served.ask("GET", "/v1/health", headers=own)[0] == 200


def test_everything_carries_the_policy(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        answers = [served.ask("GET", path)[1] for path in PATHS]
        answers.append(served.ask("GET", "/", headers={"Host": "evil.example"})[1])
        answers.append(served.ask("PATCH", "/v1/events")[1])
        with served.listen() as listening:
            answers.append({name.lower(): value for name, value in listening.headers.items()})
    for headers in answers:
        policy = headers["content-security-policy"].split("; ")
        assert policy[0] == "default-src 'none'"
        assert {"script-src 'self'", "style-src 'self'", "connect-src 'self'"} <= set(policy)
        assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy)
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_hostile_name_stays_data(tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror=alert(1)>\r\n\r\ndata: {}\n\nid: 1\n\u2028\x00"
    with living_hub(tmp_path) as served, served.listen() as listening:
        served.on_loop(lambda: served.hub.publish(phase(1, host_id=hostile, replay=hostile)))
        heard = listening.until(lambda one: one["topic"] == "phase")
        assert heard[-1]["data"]["host_id"] == hostile
        assert [one["topic"] for one in heard] == ["hello", "phase"]
        assert listening.ids == [f"{served.hub.server}-1"]


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("Wall.lab:80", "wall.lab"),
        ("[::1]:80", "::1"),
        ("a:b", None),
        ("a/b", None),
        ("a?b", None),
        ("a#b", None),
        ("a:99999", None),
        ("a@b", None),
    ],
)
def test_the_name_in_an_authority(authority: str, name: str | None) -> None:
    assert host_of(authority) == name
