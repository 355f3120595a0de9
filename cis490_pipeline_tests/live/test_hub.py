"""Who gets what, when and in which order; without a socket."""

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.live.hub import Hub, Listener
from cis490_pipeline.live.limits import HubLimits
from cis490_pipeline.live.wire import Cursor
from cis490_pipeline_tests.live.made_up import mix, perf, phase


def messages_in(data: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for block in data.split(b"\n\n"):
        lines = [line for line in block.splitlines() if line.startswith(b"data: ")]
        found += [json.loads(line.removeprefix(b"data: ")) for line in lines]
    return found


def heard_by(listener: Listener) -> list[dict[str, Any]]:
    """Take everything that is due."""
    data = b""
    while batch := listener.take():
        data += batch
    return messages_in(data)


def topics(messages: list[dict[str, Any]]) -> list[str]:
    return [one["topic"] for one in messages]


def times(messages: list[dict[str, Any]]) -> list[float]:
    return [one["data"]["t_s"] for one in messages if one["topic"] == "phase"]


def small(**limits: Any) -> Hub:
    return Hub(HubLimits(**{"ring_events": 5, **limits}))


def test_a_new_listener_hears_hello_the_state_and_what_is_remembered():
    hub = Hub()
    hub.publish(phase(1))
    hub.publish(perf(1))
    hub.publish(perf(2))
    hub.publish(mix())
    hub.publish(phase(2))
    heard = heard_by(hub.listen(None))
    assert topics(heard) == ["hello", "model_perf", "phase_mix", "phase", "phase"]
    assert heard[0]["data"]["head"] == 5
    assert heard[0]["data"]["server"] == hub.server
    assert heard[1]["data"]["n_measured"] == 2
    assert [one["seq"] for one in heard] == [None, 3, 4, 1, 5]


def test_what_happens_is_heard_in_order_and_once():
    hub = Hub()
    listener = hub.listen(None)
    heard_by(listener)
    for number in range(100):
        hub.publish(phase(number))
        if number % 7 == 0:
            assert times(heard_by(listener))[-1] == number
    assert times(heard_by(listener)) == [99.0]


def test_who_comes_back_hears_what_was_missed_and_no_gap():
    hub = small()
    for number in range(1, 4):
        hub.publish(phase(number))
    heard = heard_by(hub.listen(Cursor(hub.server, 2)))
    assert topics(heard) == ["hello", "phase"]
    assert times(heard) == [3.0]


def test_who_comes_back_after_too_long_hears_of_a_gap_and_how_much_is_missing():
    hub = small()
    for number in range(1, 9):
        hub.publish(phase(number))
    heard = heard_by(hub.listen(Cursor(hub.server, 1)))
    assert topics(heard)[:2] == ["hello", "gap"]
    assert heard[1]["data"] == {"reason": "ring", "missed": 2}
    assert times(heard) == [4.0, 5.0, 6.0, 7.0, 8.0]
    at_the_edge = heard_by(hub.listen(Cursor(hub.server, 3)))
    assert topics(at_the_edge) == ["hello", *["phase"] * 5]


def test_an_id_of_another_run_is_a_gap_and_everything_that_is_remembered():
    hub = small()
    hub.publish(phase(1))
    for since in (Cursor("0" * 16, 1), Cursor(hub.server, 2)):
        heard = heard_by(hub.listen(since))
        assert topics(heard) == ["hello", "gap", "phase"]
        assert heard[1]["data"] == {"reason": "restart", "missed": None}


def test_a_slow_listener_gets_a_gap_and_the_state_again():
    hub = small()
    listener = hub.listen(None)
    hub.publish(perf(1))
    heard_by(listener)
    hub.publish(perf(2))
    for number in range(1, 8):
        hub.publish(phase(number))
    heard = heard_by(listener)
    assert topics(heard)[:2] == ["gap", "model_perf"]
    assert heard[0]["data"] == {"reason": "slow", "missed": 3}
    assert heard[1]["data"]["n_measured"] == 2
    assert times(heard) == [3.0, 4.0, 5.0, 6.0, 7.0]
    assert hub.tally.gaps == {"slow": 1}


def test_a_slow_listener_is_spared_state_that_was_superseded():
    hub = Hub()
    listener = hub.listen(None)
    heard_by(listener)
    for number in range(1, 50):
        hub.publish(perf(number))
        hub.publish(perf(number, machine="other"))
        hub.publish(phase(number))
    heard = heard_by(listener)
    assert times(heard) == [float(number) for number in range(1, 50)]
    states = [one for one in heard if one["topic"] == "model_perf"]
    assert [one["data"]["n_measured"] for one in states] == [49, 49]
    assert hub.tally.coalesced == 2 * 48


def test_a_turn_is_bounded_and_takes_at_least_one_message():
    hub = Hub(HubLimits(batch_bytes=500))
    listener = hub.listen(None)
    for number in range(100):
        hub.publish(phase(number))
    turns = [messages_in(batch) for batch in iter(listener.take, b"")]
    assert len(turns) > 30
    assert max(map(len, turns)) <= 4
    assert min(map(len, turns)) >= 1
    assert sum(map(len, turns)) == 101


def test_who_never_reads_costs_nothing_more():
    hub = small()
    listener = hub.listen(None)
    for number in range(1000):
        hub.publish(phase(number))
        hub.publish(perf(number))
    assert listener.n_due == 1
    assert len(hub.ring) == 5
    assert len(hub.state["model_perf"]) == 1
    listener.take()
    assert listener.n_due <= 3


@settings(deadline=None)
@given(st.lists(st.sampled_from(["stream", "a", "b", "take", "turn", "again"]), max_size=80))
def test_whatever_the_pace_the_last_state_is_known_and_only_gaps_lose_events(steps):
    """A model of a page: what it has heard, against what was published."""
    hub = small(batch_bytes=300, state_keys=2)
    listener, state = hub.listen(None), {}
    published: list[int] = []
    known: dict[str, int] = {}
    heard: list[int] = []
    missed, last = 0, ""

    def listen(data: bytes) -> None:
        nonlocal missed, last
        ids = [line for line in data.splitlines() if line.startswith(b"id: ")]
        last = ids[-1].removeprefix(b"id: ").decode() if ids else last
        for one in messages_in(data):
            if one["topic"] == "model_perf":
                assert one["seq"] >= known.get(one["data"]["machine"], 0)
                known[one["data"]["machine"]] = one["seq"]
            elif one["topic"] == "phase":
                heard.append(int(one["data"]["t_s"]))
            elif one["topic"] == "gap":
                missed += one["data"]["missed"]

    for step in steps:
        if step == "stream":
            published.append(hub.publish(phase(hub.head + 1)))
        elif step in ("a", "b"):
            state[step] = hub.publish(perf(machine=step))
        elif step == "take":
            listen(listener.take())
        elif step == "turn":
            while batch := listener.take():
                listen(batch)
        elif last:
            listener = hub.listen(Cursor.parse(last))
    while batch := listener.take():
        listen(batch)
    assert known == state
    assert heard == sorted(set(heard))
    assert len(set(published) - set(heard)) <= missed


def test_news_wake_who_waits_and_nobody_else():
    async def scene() -> tuple[bool, bool]:
        hub = Hub()
        waiting = asyncio.create_task(hub.news(5.0))
        await asyncio.sleep(0)
        hub.publish(phase())
        return await waiting, await hub.news(0.01)

    assert asyncio.run(scene()) == (True, False)
