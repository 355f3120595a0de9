"""A failed run is told: in the log, and to a webhook that may be slow, broken or away."""

import contextlib
import http.server
import json
import logging
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest

from cis490_pipeline.orchestration.failures import build_failures_sensor, notifiers_of
from cis490_pipeline.orchestration.notifying import LogNotifier, RunFailure, WebhookNotifier
from cis490_pipeline.settings import Settings

SECRET = "T0p-secret"
FAILURE = RunFailure(
    run_id="r1", job="ingest_host", partition="lab-a", error="disk full", will_retry=True
)


@dataclass(kw_only=True)
class Hook:
    """A webhook on loopback which answers what it is told to, in turn, and then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextlib.contextmanager
def webhook(*answers: int) -> Generator[Hook]:
    hook = Hook(answers=list(answers))

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.paths.append(self.path)
            hook.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.answers.pop(0) if hook.answers else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            hook.paths.append(f"GET {self.path}")
            self.send_response(200)
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        hook.url = f"http://127.0.0.1:{server.server_port}/hooks/{SECRET}?key={SECRET}"
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()


def told(url: str, **knobs: Any) -> tuple[bool, list[float]]:
    pauses: list[float] = []
    return WebhookNotifier(url=url, sleep=pauses.append, **knobs).notify(FAILURE), pauses


def test_the_webhook_gets_one_json_object() -> None:
    with webhook() as hook:
        assert told(hook.url) == (True, [])
    assert hook.heard == [
        {
            "event": "run_failed",
            "run_id": "r1",
            "job": "ingest_host",
            "partition": "lab-a",
            "error": "disk full",
            "will_retry": True,
        }
    ]
    assert hook.paths == [f"/hooks/{SECRET}?key={SECRET}"]


def test_a_server_in_trouble_is_asked_again_with_growing_pauses() -> None:
    with webhook(503, 500) as hook:
        assert told(hook.url) == (True, [1.0, 2.0])
    assert len(hook.heard) == 3


def test_it_gives_up_and_says_so_without_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    with webhook(500, 500, 500, 500) as hook:
        assert told(hook.url) == (False, [1.0, 2.0])
    assert len(hook.heard) == 3
    assert "127.0.0.1: answered 500" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("answer", [404, 301, 303])
def test_a_refusal_or_a_redirect_is_final(answer: int) -> None:
    with webhook(answer) as hook:
        assert told(hook.url) == (False, [])
    assert len(hook.paths) == 1


def test_a_server_that_says_nothing_does_not_hold_it_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert told(url, timeout_s=0.05) == (False, [1.0, 2.0])


@pytest.mark.parametrize(
    "url", [f"file:///etc/{SECRET}", SECRET, f"http://host name/{SECRET}", f"http://[/{SECRET}"]
)
def test_an_address_that_is_none_is_refused(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert told(url) == (False, [])
    assert SECRET not in caplog.text


def test_the_log_gets_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert LogNotifier().notify(FAILURE)
    assert caplog.messages == ["ingest_host of lab-a failed (run r1); it is retried: disk full"]


def test_the_sensor_tells_of_a_failed_run_and_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @dg.op
    def broken() -> None:
        raise ValueError("the tarball\nbites")

    @dg.job
    def bites() -> None:
        broken()

    with webhook() as hook, dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv("CIS490_WEBHOOK_URL", hook.url)
        settings = Settings()
        assert SECRET not in repr(settings)
        result = bites.execute_in_process(
            instance=instance, raise_on_error=False, tags={"dagster/partition": "lab-a"}
        )
        context = dg.build_run_status_sensor_context(
            sensor_name="failures",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
        ).for_run_failure()
        build_failures_sensor(notifiers_of(settings))(context)
    (heard,) = hook.heard
    assert heard["job"] == "bites"
    assert heard["partition"] == "lab-a"
    assert heard["run_id"] == result.run_id
    assert "the tarball bites" in heard["error"]
    assert "bites of lab-a failed" in caplog.text
    assert SECRET not in caplog.text


def test_without_a_webhook_only_the_log_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CIS490_WEBHOOK_URL", raising=False)
    assert [type(one) for one in notifiers_of(Settings())] == [LogNotifier]
