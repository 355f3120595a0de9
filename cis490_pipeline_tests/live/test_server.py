"""The hub on a socket: streams, restarts, slow and hostile listeners."""

import json
import socket
import time
from pathlib import Path

import pytest

from cis490_pipeline.live.limits import HubLimits, RequestLimits
from cis490_pipeline_tests.live.hubs import LivingHub, living_hub
from cis490_pipeline_tests.live.made_up import perf, phase


def publish(served: LivingHub, *numbers: int, **changes: object) -> None:
    for number in numbers:
        served.on_loop(lambda number=number: served.hub.publish(phase(number, **changes)))


def is_time(t_s: float):
    return lambda one: one["topic"] == "phase" and one["data"]["t_s"] == t_s


def test_a_listener_hears_what_is_published_and_can_go_on_where_it_was(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        publish(served, 1)
        with served.listen() as first:
            assert first.status == 200
            assert first.headers["content-type"] == "text/event-stream; charset=utf-8"
            heard = first.until(is_time(1))
            assert [one["topic"] for one in heard] == ["hello", "phase"]
            publish(served, 2)
            first.until(is_time(2))
            last = first.ids[-1]
        publish(served, 3, 4)
        for since, headers in ((last, {}), (None, {"Last_Event_ID": last})):
            with served.listen(since, **headers) as again:
                heard = again.until(is_time(4))
                assert [one["topic"] for one in heard] == ["hello", "phase", "phase"]


def test_a_hub_that_was_started_anew_says_that_events_are_missing(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        port = served.port
        publish(served, 1)
        with served.listen() as listening:
            server = listening.until(is_time(1))[0]["data"]["server"]
            last = listening.ids[-1]
    with living_hub(tmp_path, port=port) as served:
        publish(served, 2)
        with served.listen(last) as listening:
            heard = listening.until(is_time(2))
    assert [one["topic"] for one in heard] == ["hello", "gap", "phase"]
    assert heard[0]["data"]["server"] != server
    assert heard[1]["data"] == {"reason": "restart", "missed": None}


def test_the_end_of_the_hub_is_the_end_of_the_stream(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        listening = served.listen()
        listening.topic("hello")
    with listening:
        assert [one["topic"] for one in listening.messages()] == []


def test_something_is_sent_now_and_then(tmp_path: Path) -> None:
    with living_hub(tmp_path, limits=HubLimits(heartbeat_s=0.05)) as served:
        publish(served, 1)
        with served.listen() as listening:
            assert listening.topic("heartbeat")["data"] == {"head": 1}
            assert listening.topic("heartbeat")["seq"] is None


def test_who_is_gone_is_forgotten(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        with served.listen() as listening:
            listening.topic("hello")
            assert len(served.hub.listeners) == 1
        served.wait(lambda: not served.hub.listeners)
        assert not served.hub.listeners


def test_a_listener_that_does_not_read_delays_nobody_and_holds_nothing(tmp_path: Path) -> None:
    limits = HubLimits(pace_s=0.0, ring_events=200, send_s=600.0)
    with living_hub(tmp_path, limits=limits) as served, served.listen() as reader:
        reader.topic("hello")
        stuck = served.listen()
        wide = "x" * 200
        with stuck:
            for number in range(4000):
                if number % 20 == 0:
                    served.on_loop(lambda n=number: served.hub.publish(perf(n)))
                publish(served, number, host_id=wide)
                if number % 100 == 99:
                    reader.until(is_time(number))
            lagging = max(served.on_loop(lambda: [x.n_behind for x in served.hub.listeners]))
            assert lagging > 200  # it is stuck indeed
            assert max(x.n_due for x in served.hub.listeners) <= 2
            assert len(served.hub.ring) == 200
            assert served.hub.tally.gaps == {}
            heard = stuck.until(is_time(3999))
        gap = next(n for n, one in enumerate(heard) if one["topic"] == "gap")
        assert heard[gap]["data"]["reason"] == "slow"
        assert heard[gap]["data"]["missed"] > 0
        assert heard[gap + 1]["data"]["n_measured"] == 3980
        last = [one["data"]["t_s"] for one in heard[gap:] if one["topic"] == "phase"]
        assert last == [float(number) for number in range(4000 - len(last), 4000)]


def test_a_listener_that_takes_nothing_for_too_long_is_hung_up_on(tmp_path: Path) -> None:
    limits = HubLimits(pace_s=0.0, send_s=0.3)
    with living_hub(tmp_path, limits=limits) as served, served.listen() as stuck:
        wide = "x" * 200
        stuck.topic("hello")  # it is a listener now, and takes nothing more
        deadline = time.monotonic() + 120
        while served.hub.listeners and time.monotonic() < deadline:
            publish(served, *range(500), host_id=wide)
        # by the hub; where the machine is so busy that its clock is late, by the system
        assert not served.hub.listeners
        with pytest.raises((AssertionError, OSError, ValueError)):
            stuck.until(lambda _: False)


def test_beyond_so_many_listeners_one_is_asked_to_come_again(tmp_path: Path) -> None:
    with living_hub(tmp_path, limits=HubLimits(listeners=1)) as served, served.listen() as first:
        first.topic("hello")
        status, headers, content = served.ask("GET", "/v1/events")
        assert (status, headers["retry-after"]) == (503, "10")
        assert json.loads(content)["error"] == "full"
        assert served.ask("GET", "/v1/health")[0] == 200
        assert served.ask("HEAD", "/v1/events")[0] == 503


def test_who_asks_for_the_head_of_the_stream_is_not_kept(tmp_path: Path) -> None:
    with living_hub(tmp_path) as served:
        assert served.ask("HEAD", "/v1/events")[0] == 200
        assert not served.hub.listeners


@pytest.mark.parametrize("since", ["7", "x", "%00", "9f2c61d07b1e4a35-", "9f2c61d07b1e4a35-٣"])
def test_what_is_no_id_is_refused(tmp_path: Path, since: str) -> None:
    with living_hub(tmp_path) as served:
        path = f"/v1/events?since={since.encode().hex() if since == 'x' else since}"
        status, _, content = served.ask("GET", path.replace("٣", "%D9%A3"))
        assert (status, json.loads(content)["error"]) == (400, "bad-cursor")


def test_a_connection_without_a_request_is_ended(tmp_path: Path) -> None:
    with living_hub(tmp_path, requests=RequestLimits(headers_s=0.2)) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
            connection.sendall(b"GET /v1/events HTTP/1.1\r\nX-Slow: ")
            assert connection.recv(100) == b""
        with served.listen() as listening:  # and a stream is not
            listening.topic("hello")
            served.on_loop(lambda: None)
            publish(served, 1)
            assert listening.topic("phase")["data"]["t_s"] == 1.0
