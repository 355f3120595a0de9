"""Many listeners, many events, for long: memory is bounded, and nobody waits for the slow.

The hub is the real command on a real socket. A producer sends events at a steady rate, each with
the time at which it was sent. Most listeners read as fast as they can: they must hear every event
once and in order. Some read a little now and then, and some nothing at all: these get gaps, or are
hung up on, and the others must not notice.

Latency is from the producer's clock before the request to the listener's after the read, of the
oldest event in each read: the worst of those that came together.

Not here: what listeners are promised (``live/test_hub``), the page (``live/test_page``).
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from cis490_pipeline.live.places import live_directory, tokens_in
from cis490_pipeline.receiver.tokens import Access
from cis490_pipeline_tests.episodes.building import episode_id

BATCHES_PER_S: Final = 50
_MODULE: Final = "cis490_pipeline_tests.drills.live"
_PROGRAM: Final = "from cis490_pipeline.cli.main import main; main()"
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_NUMBER: Final = re.compile(rb'"replay":"drill-(\d+)"')
_SENT: Final = re.compile(rb'"t_s":([0-9.]+)')
_SLOW_BYTES_PER_S: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many of what, for how long."""

    listeners: int = 200
    slow: int = 10
    silent: int = 5
    events_per_s: int = 1000
    seconds: float = 600.0


@dataclass(slots=True)
class Heard:
    """What the listeners that read on heard."""

    events: list[int] = field(default_factory=list)
    broken_order: int = 0
    latencies_s: list[float] = field(default_factory=list)
    slow_gaps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the drill went; memory is the hub's, in bytes."""

    plan: Plan
    published: int
    fewest: int
    most: int
    broken_order: int
    p50_s: float
    p99_s: float
    worst_s: float
    slow_gaps: int
    hung_up: int
    rss_early: int
    rss_highest: int

    def sentence(self) -> str:
        """Return it for people."""
        plan = self.plan
        return (
            f"{plan.listeners} listeners and {plan.slow + plan.silent} slow or silent ones, "
            f"{self.published} events in {plan.seconds:.0f} s: each heard by every listener that "
            f"reads ({self.fewest} to {self.most}), {self.broken_order} out of order\n"
            f"delivered after {1000 * self.p50_s:.0f} ms (p50), {1000 * self.p99_s:.0f} ms (p99), "
            f"{1000 * self.worst_s:.0f} ms (worst)\n"
            f"slow ones: {self.slow_gaps} gaps told, {self.hung_up} hung up on\n"
            f"the hub's RSS: {self.rss_early / 1e6:.0f} MB after a tenth of the time, "
            f"{self.rss_highest / 1e6:.0f} MB at the most after that"
        )


@contextlib.contextmanager
def _hub(root: Path, port: int) -> Generator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-c", _PROGRAM, "live", str(root / "store")]
    with (root / "log").open("ab") as log:
        process = subprocess.Popen(
            [*words, "--data", str(root / "data"), "--port", str(port)], stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 120
        while _metrics(port) is None:
            assert process.poll() is None, (root / "log").read_text()
            assert time.monotonic() < deadline, "the hub does not answer"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def _metrics(port: int) -> dict[str, float] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    except OSError:
        return None
    finally:
        connection.close()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def produce(port: int, token: str, plan: Plan) -> None:
    """Send events at a steady rate; each says in ``t_s`` when it was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}"}
    per_batch = plan.events_per_s // BATCHES_PER_S
    started = time.monotonic()
    for number in range(int(plan.seconds * BATCHES_PER_S)):
        time.sleep(max(0.0, started + number / BATCHES_PER_S - time.monotonic()))
        first = number * per_batch
        events = [_event(one) for one in range(first + 1, first + per_batch + 1)]
        body = json.dumps({"schema_version": 1, "events": events}).encode()
        connection.request("POST", "/v1/events", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 202, text


def _event(number: int) -> dict[str, object]:
    facts = {"episode_id": episode_id(0), "host_id": "lab-a", "phase": "clean"}
    return {"topic": "phase", "data": {"replay": f"drill-{number}", "t_s": time.time(), **facts}}


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
    writer.write(f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


async def _listen(port: int, heard: Heard, until: float) -> None:
    """Read as fast as it comes; every event has a number, so that nothing is taken on trust."""
    reader, writer = await _connect(port)
    count, last, rest = 0, 0, b""
    while time.time() < until:
        try:
            async with asyncio.timeout(1.0):
                data = await reader.read(1 << 18)
        except TimeoutError:
            continue
        now = time.time()
        assert data, "the hub hung up on a listener that reads"
        whole, _, rest_now = (rest + data).rpartition(b"\n\n")
        rest = rest_now
        numbers = [int(one) for one in _NUMBER.findall(whole)]
        if numbers:
            heard.broken_order += numbers != list(range(last + 1, last + 1 + len(numbers)))
            last = numbers[-1]
            count += len(numbers)
            oldest = _SENT.search(whole)
            assert oldest is not None
            heard.latencies_s.append(now - float(oldest[1]))
    heard.events.append(count)
    writer.close()


async def _crawl(port: int, heard: Heard, until: float) -> None:
    """Read far less than comes."""
    reader, writer = await _connect(port)
    while time.time() < until:
        await asyncio.sleep(1.0)
        with contextlib.suppress(OSError):
            data = await reader.read(_SLOW_BYTES_PER_S)
            heard.slow_gaps += data.count(b'"reason":"slow"')
    writer.close()


async def _stay_silent(port: int, until: float) -> None:
    """Read nothing at all."""
    with socket.create_connection(("127.0.0.1", port)) as held:
        held.sendall(f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        while time.time() < until:
            await asyncio.sleep(1.0)


async def listen_all(port: int, plan: Plan, ready: Path) -> Heard:
    """Run every listener; the file ``ready`` is made when all are connected, holding the end."""
    heard = Heard()
    until = time.time() + plan.seconds + 10.0
    tasks = [asyncio.create_task(_listen(port, heard, until)) for _ in range(plan.listeners)]
    tasks += [asyncio.create_task(_crawl(port, heard, until)) for _ in range(plan.slow)]
    tasks += [asyncio.create_task(_stay_silent(port, until)) for _ in range(plan.silent)]
    await asyncio.sleep(2.0)
    ready.touch()
    await asyncio.gather(*tasks)
    return heard


def run(root: Path, plan: Plan) -> Outcome:
    """Run the drill and check what must hold.

    Raises
    ------
    AssertionError
        Where an event was lost or came out of order, or memory grows.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    (root / "store").mkdir(parents=True)
    token = tokens_in(live_directory(root / "data")).add("drill", Access.PRODUCER)
    with _hub(root, port) as hub:
        listeners = _child("listen", root, port, plan, token)
        while not (root / "ready").exists():
            assert listeners.poll() is None, "the listeners ended"
            time.sleep(0.1)
        producer = _child("produce", root, port, plan, token)
        sizes = _watch(hub.pid, producer, listeners)
        assert producer.returncode == 0, "the producer failed"
        assert listeners.returncode == 0, "a listener failed"
        metrics = _metrics(port) or {}
    heard = msgspec.json.decode((root / "heard.json").read_bytes(), type=Heard)
    return _judged(plan, heard, sizes, metrics)


def _child(part: str, root: Path, port: int, plan: Plan, token: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", _MODULE, "--part", part]
    facts = {"root": str(root), "port": port, "token": token, "plan": msgspec.to_builtins(plan)}
    return subprocess.Popen([*words, "--facts", json.dumps(facts)])


def _watch(
    pid: int, producer: subprocess.Popen[bytes], listeners: subprocess.Popen[bytes]
) -> list[int]:
    """Sample the hub's RSS until both others have ended."""
    sizes: list[int] = []
    while producer.poll() is None or listeners.poll() is None:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        sizes.append(pages * _PAGE_BYTES)
        time.sleep(0.2)
    return sizes


def _judged(plan: Plan, heard: Heard, sizes: list[int], metrics: dict[str, float]) -> Outcome:
    published = int(metrics['cis490_live_events_published_total{topic="phase"}'])
    early = max(sizes[: max(1, len(sizes) // 10)])
    late = max(sizes[len(sizes) // 10 :])
    latencies = np.array(heard.latencies_s)
    outcome = Outcome(
        plan=plan,
        published=published,
        fewest=min(heard.events),
        most=max(heard.events),
        broken_order=heard.broken_order,
        p50_s=float(np.quantile(latencies, 0.5)),
        p99_s=float(np.quantile(latencies, 0.99)),
        worst_s=float(latencies.max()),
        slow_gaps=heard.slow_gaps,
        hung_up=int(metrics.get("cis490_live_listeners_hung_up_total", 0)),
        rss_early=early,
        rss_highest=late,
    )
    assert len(heard.events) == plan.listeners, outcome.sentence()
    assert outcome.fewest == outcome.most == published, outcome.sentence()
    assert outcome.broken_order == 0, outcome.sentence()
    assert late < 1.25 * early + (32 << 20), outcome.sentence()
    return outcome


def _part(part: str, facts: str) -> None:
    told = json.loads(facts)
    plan = msgspec.convert(told["plan"], Plan)
    root, port = Path(told["root"]), int(told["port"])
    if part == "produce":
        produce(port, told["token"], plan)
        return
    heard = asyncio.run(listen_all(port, plan, root / "ready"))
    (root / "heard.json").write_bytes(msgspec.json.encode(heard))


def main() -> None:
    """Run the drill and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=Plan().listeners)
    parser.add_argument("--events-per-s", type=int, default=Plan().events_per_s)
    parser.add_argument("--seconds", type=float, default=Plan().seconds)
    parser.add_argument("--part", choices=["listen", "produce"], help=argparse.SUPPRESS)
    parser.add_argument("--facts", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        _part(chosen.part, chosen.facts)
        return
    plan = Plan(
        listeners=chosen.listeners, events_per_s=chosen.events_per_s, seconds=chosen.seconds
    )
    with tempfile.TemporaryDirectory() as root:
        print(run(Path(root) / "drill", plan).sentence())


if __name__ == "__main__":
    main()
