"""The totals on the page are those of the disk, whatever was written and whoever looked when."""

import asyncio
import hashlib
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.live.event_parts import (
    ReceivedEpisode,
)
from cis490_pipeline.live.events import (
    Episode,
    Event,
    Snapshot,
)
from cis490_pipeline.live.feeders.progress import Progress
from cis490_pipeline.live.feeders.store_index import EpisodeFeeder, SnapshotFeeder
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.hub import Hub
from cis490_pipeline_tests.episodes.building import episode_id

HOSTS = ("lab-a", "lab-b", "lab-c")


def totals_of(rows: Any) -> dict[str, Any]:
    """Count rows as anybody would: (host, bytes) of each episode."""
    hosts = Counter(row.host_id for row in rows)
    sizes: Counter[str] = Counter()
    for row in rows:
        sizes[row.host_id] += row.size_bytes
    return {
        "total_episodes": len(rows),
        "total_bytes": sum(row.size_bytes for row in rows),
        "host_counts": dict(hosts),
        "host_bytes": {host: sizes[host] for host in hosts},
    }


def totals_in(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in totals_of([])}


class Page:
    """What a page shows that takes its totals from events alone, and how hosts stand by them."""

    def __init__(self) -> None:
        self.totals: tuple[int, int] | None = None
        self.hosts: dict[str, int] = {}

    def hear(self, event: Event) -> None:
        if isinstance(event, Snapshot):
            self.totals = (event.total_episodes, event.total_bytes)
            self.hosts = dict(event.host_counts)
        if isinstance(event, Episode):
            self.totals = (event.total_episodes, event.total_bytes)
            self.hosts[event.host_id] = event.host_episodes
            if event.moved_from is not None:
                self.hosts[event.moved_from.host_id] = event.moved_from.episodes
        self.hosts = {host: n for host, n in self.hosts.items() if n}


class Store(RuleBasedStateMachine):
    """A receiver writes, rotates and tears; two feeders look whenever they like."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "index.jsonl"
        self.path.touch()
        self.hub, self.holdings = Hub(), Holdings()
        self.progress = Progress(alerts_are_read=True)  # a snapshot waits for nobody
        self.page, self.n_rotated, self.n_rows = Page(), 0, 0
        self.may_miss = False
        publish = self.hub.publish
        self.hub.publish = lambda event, producer=None: (
            self.page.hear(event),
            publish(event, producer),
        )[1]
        self.begin_anew()

    def begin_anew(self) -> None:
        parts = (self.path, self.hub, self.holdings, self.progress)
        self.episodes, self.snapshots = EpisodeFeeder(*parts), SnapshotFeeder(*parts)
        self.follows = False

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(number=st.integers(0, 7), host=st.sampled_from(HOSTS), version=st.integers(0, 2))
    def ship(self, number: int, host: str, version: int) -> None:
        """A new episode, the same again, other bytes, or from another host."""
        self.n_rows += 1
        row = {
            "episode_id": episode_id(number),
            "host_id": host,
            "sha256": hashlib.sha256(b"%d %d" % (number, version)).hexdigest(),
            "size_bytes": 1000 * number + version,
            "received_at_wall": float(self.n_rows),
        }
        with self.path.open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")

    @rule(text=st.sampled_from([b"\n", b'{"episode_id": \n', b"\xff\n", b"[1]\n"]))
    def damage(self, text: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(text)

    @rule()
    def rotate(self) -> None:
        self.n_rotated += 1
        self.path.rename(self.path.with_name(f"index.jsonl-2026{self.n_rotated:04d}"))
        self.path.touch()
        self.may_miss |= not self.follows

    @rule()
    def follow(self) -> None:
        """Following alone tells all that was not rotated away before its first step."""
        asyncio.run(self.episodes.step())
        self.follows = self.progress.index_is_read
        if self.follows and not self.may_miss:
            found = self.holdings.snapshot(0.0, index_damage=0, bytes_behind=0)
            assert totals_in(found) == totals_of(read_received(self.path).entries)

    @rule()
    def read_all(self) -> None:
        asyncio.run(self.snapshots.step())
        self.may_miss = False
        truth = totals_of(read_received(self.path).entries)
        found = self.holdings.snapshot(0.0, index_damage=0, bytes_behind=0)
        assert totals_in(found) == truth

    @rule()
    def fail_and_begin_anew(self) -> None:
        self.begin_anew()

    @invariant()
    def totals_are_those_of_what_is_held(self) -> None:
        found = self.holdings.snapshot(0.0, index_damage=0, bytes_behind=0)
        assert totals_in(found) == totals_of(self.holdings.episodes())

    @invariant()
    def the_page_shows_them(self) -> None:
        if self.progress.index_is_read:
            found = self.holdings.snapshot(0.0, index_damage=0, bytes_behind=0)
            assert self.page.totals == (found.total_episodes, found.total_bytes)
            assert self.page.hosts == found.host_counts


TestTotals = Store.TestCase
TestTotals.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, derandomize=True
)


def received(number: int, host: str = "lab-a", sha: str = "a", size: int = 1) -> ReceivedEpisode:
    return ReceivedEpisode(
        episode_id=episode_id(number),
        host_id=host,
        sha256=sha * 64,
        size_bytes=size,
        received_at=60.0 * number,
    )


def test_being_told_twice_is_no_news_and_the_last_row_counts() -> None:
    holdings = Holdings()
    assert len(holdings.receive([received(1), received(2)])) == 2
    assert holdings.receive([received(1), received(2)]) == []
    (event,) = holdings.receive([received(1, sha="b"), received(1, "lab-b", sha="c", size=5)])
    assert (event.sha256, event.host_episodes, event.total_bytes) == ("c" * 64, 1, 6)
    assert event.moved_from is not None
    assert (event.moved_from.host_id, event.moved_from.episodes) == ("lab-a", 1)
    # both rows again, as a follower that begins anew tells them
    assert holdings.receive([received(1, sha="b"), received(1, "lab-b", sha="c", size=5)]) == []


def test_what_tables_alone_remember_counts_until_the_index_says_otherwise() -> None:
    holdings = Holdings()
    holdings.receive([received(1)])
    assert len(holdings.receive_unknown([received(1, sha="b"), received(2)])) == 1
    assert [one.sha256[0] for one in holdings.episodes()] == ["a", "a"]
    assert len(holdings.receive([received(2, sha="b")])) == 1


def test_the_last_hour_is_counted_by_minutes() -> None:
    holdings = Holdings()
    holdings.receive([received(0), received(57), received(121), received(119)])
    arrivals = holdings.snapshot(7199.0, index_damage=0, bytes_behind=0).arrivals
    assert len(arrivals) == 60
    assert sum(arrivals) == 1
    assert arrivals[-1] == 1
