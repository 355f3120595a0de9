"""The live dashboard through nginx: everybody with a password looks, nobody publishes."""

import contextlib
import json
from collections.abc import Iterator

import msgspec
import pytest

from cis490_pipeline.cli.live import PORT
from cis490_pipeline_tests.deploy.door import NGINX, Door, doors
from cis490_pipeline_tests.live.hubs import LivingHub, living_hub
from cis490_pipeline_tests.live.made_up import phase

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LivingHub, Door]]:
    here = tmp_path_factory.mktemp("live-door")
    with living_hub(here) as living:
        places = {"full": living.port, "read_only": living.port, "live": living.port}
        with doors(here, here / "data", **places) as (viewers, _):
            yield living, viewers


def test_the_port_is_the_one_that_the_command_takes() -> None:
    assert f"proxy_pass http://127.0.0.1:{PORT}/;" in (NGINX / "cis490-door.conf").read_text()


def test_the_page_and_what_it_loads_come_through(dashboard: tuple[LivingHub, Door]) -> None:
    _, door = dashboard
    page = door.ask("GET", "/live/")
    assert page.status == 200
    assert 'src="app.js"' in page.text
    assert door.ask("GET", "/live/app.js").status == 200
    assert json.loads(door.ask("GET", "/live/v1/episodes").text)["everything"] == 0
    names = [name.lower() for name, _ in page.all_headers]
    for once in ("x-frame-options", "x-content-type-options", "cross-origin-resource-policy"):
        assert names.count(once) == 1
    policies = [v for n, v in page.all_headers if n.lower() == "content-security-policy"]
    assert any("script-src 'self'" in policy for policy in policies)


def test_an_event_is_seen_at_once(dashboard: tuple[LivingHub, Door]) -> None:
    living, door = dashboard
    with contextlib.closing(door.connect()) as through:
        through.settimeout(20)
        head = f"GET /live/v1/events HTTP/1.1\r\nHost: {door.host}\r\n"
        login = "".join(f"{name}: {value}\r\n" for name, value in door.login().items())
        through.sendall(f"{head}{login}\r\n".encode())
        seen = b""
        while b'"topic":"hello"' not in seen:
            seen += through.recv(65536)
        living.post(("phase", msgspec.to_builtins(phase(7, replay="through the door"))))
        while b"through the door" not in seen:
            got = through.recv(65536)
            assert got, seen
            seen += got
    assert b"200 OK" in seen


def test_nobody_publishes_through_the_door(dashboard: tuple[LivingHub, Door]) -> None:
    living, door = dashboard
    sent = json.dumps({"schema_version": 1, "events": []}).encode()
    for headers in ({}, {"Authorization": f"Bearer {living.token}"}):
        assert door.ask("POST", "/live/v1/events", sent, **headers).status in {401, 403}


def test_nothing_is_shown_without_a_password(dashboard: tuple[LivingHub, Door]) -> None:
    _, door = dashboard
    for path in ("/live/", "/live/v1/events", "/live/metrics"):
        assert door.ask("GET", path, anonymous=True).status == 401
