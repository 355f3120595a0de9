"""What producers send: taken whole, or refused with a reason."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cis490_pipeline.live.limits import RequestLimits
from cis490_pipeline.live.places import live_directory, tokens_in
from cis490_pipeline.receiver.tokens import Access
from cis490_pipeline_tests.live.hubs import LivingHub, living_hub
from cis490_pipeline_tests.live.made_up import embedding, perf, phase


def as_json(event: Any) -> Any:
    return msgspec.to_builtins(event)


PHASE = as_json(phase(1))


def send(served: LivingHub, body: bytes, **headers: str) -> tuple[int, Any]:
    sent = {"Authorization": f"Bearer {served.token}", **headers}
    status, _, content = served.ask("POST", "/v1/events", body, sent)
    return status, json.loads(content)


def test_what_is_published_is_heard_with_the_name_of_its_producer(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served, served.listen() as listening:
        events = (
            ("phase", PHASE),
            ("model_perf", as_json(perf())),
            ("embedding", as_json(embedding())),
        )
        assert served.post(*events) == (202, {"accepted": 3, "head": 3})
        heard = listening.until(lambda one: one["topic"] == "embedding")[1:]
        assert [(one["topic"], one["data"]) for one in heard] == list(events)
        assert {one["producer"] for one in heard} == {"box"}


@pytest.mark.parametrize("token", ["", "x" * 43, "short", "ä" * 30])
def test_who_has_no_token_of_a_producer_publishes_nothing(tmp_path: Path, token: str) -> None:
    with living_hub(tmp_path) as served:
        body = json.dumps({"schema_version": 1, "events": [{"topic": "phase", "data": PHASE}]})
        for headers in ({"Authorization": f"Bearer {token}".encode("latin-1")}, {}):
            status, answered, content = served.ask("POST", "/v1/events", body.encode(), headers)
            assert (status, json.loads(content)["error"]) == (401, "unauthorized")
            assert answered["www-authenticate"] == "Bearer"
        assert served.hub.head == 0
        assert served.hub.tally.refused["unauthorized"] == 2


def test_a_token_of_a_host_is_none_of_a_producer_and_a_removed_one_is_none(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        tokens = tokens_in(live_directory(tmp_path / "data"))
        assert served.post(("phase", PHASE), token=tokens.add("lab-a", Access.HOST))[0] == 401
        assert served.post(("phase", PHASE))[0] == 202
        tokens.remove("box")
        assert served.post(("phase", PHASE))[0] == 401


def test_tokens_are_hashed_at_rest(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        path = tmp_path / "data" / "live" / "tokens.json"
        assert served.token.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_one_bad_event_is_named_and_none_is_taken(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        bad = {**PHASE, "t_s": "soon"}
        status, said = served.post(("phase", PHASE), ("phase", bad))
        assert (status, said["error"], said["index"]) == (422, "bad-event", 1)
        assert "$.t_s" in said["reason"]
        assert served.hub.head == 0


@pytest.mark.parametrize(
    "topic", ["snapshot", "episode", "alert", "phase_mix", "hello", "gap", "x"]
)
def test_what_disk_says_cannot_be_said_by_others(tmp_path: Path, topic: str) -> None:
    with living_hub(tmp_path) as served:
        status, said = served.post((topic, {}))
        assert (status, said["index"]) == (422, 0)
        assert served.hub.head == 0


CHANGED = [
    {"episode_id": "../../etc/passwd"},
    {"replay": ""},
    {"replay": "x" * 201},
    {"phase": "failed"},
    {"t_s": None},
    {"host_id": 7},
]


@pytest.mark.parametrize("changes", CHANGED)
def test_an_event_has_the_form_of_its_topic(tmp_path: Path, changes: dict[str, Any]) -> None:
    with living_hub(tmp_path) as served:
        assert served.post(("phase", {**PHASE, **changes}))[0] == 422
        without = {name: value for name, value in PHASE.items() if name not in changes}
        assert served.post(("phase", without))[0] == 422


def test_an_unknown_field_goes_no_further(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served, served.listen() as listening:
        assert served.post(("phase", {**PHASE, "tomorrow": "<b>"}))[0] == 202
        assert listening.topic("phase")["data"] == PHASE


BODIES = [
    b"",
    b"{",
    b"[]",
    b"\xff",
    b'{"schema_version":1,"events":[]}',
    b'{"schema_version":2,"events":[{"topic":"phase","data":{}}]}',
    b'{"events":[{"topic":"phase","data":{}}]}',
    b'{"schema_version":1,"events":[{"topic":"phase","data":NaN}]}',
    b'{"schema_version":1,"events":[{"topic":"phase","data":"\\ud800"}]}',
    b'{"schema_version":1,"events":' + b"[" * 100_000,
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_none_is_refused(tmp_path: Path, body: bytes) -> None:
    with living_hub(tmp_path) as served:
        status, said = send(served, body)
        assert status == 422
        assert said["reason"]
        assert served.hub.head == 0


def test_a_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        for text in (b"1e999", b"-1e999", b"NaN", b"Infinity"):
            event = json.dumps(PHASE).encode().replace(b"1.0", text)
            body = b'{"schema_version":1,"events":[{"topic":"phase","data":%s}]}' % event
            assert send(served, body)[0] == 422
        assert served.hub.head == 0


def test_what_is_too_large_or_too_slow_is_refused(tmp_path: Path) -> None:
    limits = RequestLimits(body_bytes=5000, event_bytes=300, body_s=0.2)
    with living_hub(tmp_path, requests=limits) as served:
        assert send(served, b"x" * 5001)[0] == 413
        wide = {**PHASE, "host_id": "x" * 200}
        status, said = served.post(("phase", PHASE), ("phase", wide))
        assert (status, said["index"]) == (422, 1)
        assert send(served, b"", **{"Content-Length": "10"})[0] == 408
        assert served.post(("phase", PHASE))[0] == 202
