"""Ingest and compaction are killed again and again, and end as if nothing had happened.

``python -m cis490_pipeline_tests.drills.kills --kills 200 --seed 0`` prints how often each phase
was died in, and fails where one never was.

A round brings an empty data directory to the end of a store whose episodes are re-shipped
meanwhile, one of them from another host; every death leaves its state to the next process. Not
here: the phases (``phases``), what must hold afterwards (``aftermath``).
"""

import argparse
import json
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Final

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.journal import journal_of
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.ingest.supervised_run import ingest_host_supervised
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.drills.aftermath import (
    check_end,
    check_readable,
    n_to_merge,
    unnamed_shards,
)
from cis490_pipeline_tests.drills.lives import Life, forking, live
from cis490_pipeline_tests.drills.phases import COMPACTION, INGEST, UNDO, Target
from cis490_pipeline_tests.drills.victims import Task
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.ingest.content import content_of

PHASES: Final = tuple(dict.fromkeys((*INGEST, *COMPACTION)))
HOSTS: Final = ("lab-a", "lab-b")
_MOVED: Final = episode_id(0)
_LIVES_PER_READ: Final = 5
_MOST_FRUITLESS: Final = 60
"""Rounds; a phase that was never died in after so many cannot be."""


@dataclass(slots=True)
class Drill:
    """What all rounds share; ``deaths`` counts the kills by (victim, phase)."""

    root: Path
    chance: random.Random
    context: ForkServerContext
    calm: dict[str, Any]
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    n_lives: int = 0

    @property
    def n_kills(self) -> int:
        """Processes that died of the signal."""
        return self.deaths.total()

    def by_phase(self) -> Counter[str]:
        """Count the kills by phase."""
        counts: Counter[str] = Counter()
        for (_, phase), n in self.deaths.items():
            counts[phase] += n
        return counts

    def unhit(self) -> list[str]:
        """Return the phases in which nothing has died yet."""
        counts = self.by_phase()
        return [phase for phase in PHASES if not counts[phase]]


def build_first(root: Path) -> Path:
    """Make the store as it is at first: grids of different lengths, hence different shards."""
    store = build_store(root, {}).root
    for number in range(10):
        host = HOSTS[number >= 6]
        blob = build_episode(seconds=12 + number, host_id=host, sample_name=f"sample-{number}")
        add_episode(store, host, episode_id(number), blob)
    return store


def change(store: Path) -> None:
    """Ship two episodes again, one of them from another host, and two new ones."""
    for number, host in ((0, "lab-b"), (3, "lab-a"), (10, "lab-a"), (11, "lab-b")):
        blob = build_episode(seconds=40 + number, host_id=host, sample_name=f"later-{number}")
        add_episode(store, host, episode_id(number), blob)


def prepared(root: Path, seed: int) -> Drill:
    """Make the first store and what an undisturbed run makes of the changed one."""
    store = Path(shutil.copytree(build_first(root / "first"), root / "changed"))
    change(store)
    for host in HOSTS:
        ingest_host(EpisodeStore(store), Warehouse(root / "calm"), host)
    calm = content_of(root / "calm")
    return Drill(root=root, chance=random.Random(seed), context=forking(), calm=calm)


class Round:
    """One data directory, from empty to its end."""

    def __init__(self, drill: Drill) -> None:
        self._drill = drill
        self._place = Path(tempfile.mkdtemp(prefix="round-", dir=drill.root))
        self._store = Path(shutil.copytree(drill.root / "first", self._place / "store"))
        self._data = self._place / "data"
        self._changed = False
        self._left = set(HOSTS)
        self._supervised = ["supervisor", "worker"]

    def play(self, n_kills: int) -> None:
        """Kill until the store is whole in the tables, or so many have died in all; then check."""
        drill = self._drill
        while self._left:
            enough = drill.n_kills >= n_kills and not drill.unhit()
            self._play_one(enough=enough)
        for host in HOSTS:  # what a dead supervisor left, the next one takes away
            if (self._data / "ingest" / f"{host}.visiting").exists():
                ingest_host_supervised(EpisodeStore(self._store), Warehouse(self._data), host)
        check_end(self._data, drill.calm)
        shutil.rmtree(self._place)

    def _play_one(self, *, enough: bool) -> None:
        chance = self._drill.chance
        counts = self._drill.by_phase()
        wanted = any(not counts[phase] and self._is_possible(phase) for phase in COMPACTION)
        compaction = chance.random() < (0.6 if wanted else 0.15) and not enough
        host = "" if compaction else chance.choice(sorted(self._left))
        victim = self._victim(host)
        life = self._life(host, victim, harmless=enough)
        if life.died_in is not None:
            self._drill.deaths[victim, life.died_in] += 1
        if life.finished and host:
            self._left.discard(host)
        self._drill.n_lives += 1
        if self._drill.n_lives % _LIVES_PER_READ == 0:
            check_readable(self._data)
        self._go_on()

    def _victim(self, host: str) -> str:
        if not host:
            return "compaction"
        if self._supervised and self._drill.chance.random() < 0.15:
            return self._supervised.pop()
        return "ingest"

    def _life(self, host: str, victim: str, *, harmless: bool) -> Life:
        chance = self._drill.chance
        exactly = chance.random() < 0.5
        target = Target(
            pipe=str(self._place / "pipe"),
            phase="" if harmless else self._phase(COMPACTION if not host else INGEST),
            nth=chance.choice((1, 1, 1, 1, 2)),
            pause_s=10.0 if exactly else 0.0,
        )
        task = Task(
            store=self._store,
            data=self._data,
            host=host,
            supervised=victim in ("supervisor", "worker"),
            retention_hours=0 if self._listed() else 1,
            target=target,
        )
        delay_s = 0.0 if exactly else chance.choice((0.0, 0.001, 0.005, 0.02)) * chance.random()
        return live(self._drill.context, task, delay_s=delay_s, worker=victim == "worker")

    def _phase(self, phases: tuple[str, ...]) -> str:
        """Choose where to die: three times of four where the fewest have died."""
        chance, counts = self._drill.chance, self._drill.by_phase()
        possible = [phase for phase in phases if self._is_possible(phase)]
        if UNDO in possible and not counts[UNDO]:
            return UNDO
        if chance.random() < 0.25:
            return chance.choice(possible)
        fewest = min(counts[phase] for phase in possible)
        return chance.choice([phase for phase in possible if counts[phase] == fewest])

    def _is_possible(self, phase: str) -> bool:
        if phase == UNDO:
            return self._changed and self._half_there()
        if phase.startswith("garbage list"):
            return bool(self._listed() or unnamed_shards(Warehouse(self._data)))
        if phase.startswith("larger shard"):
            return n_to_merge(Warehouse(self._data)) > 1
        return True

    def _listed(self) -> bool:
        """Say whether a shard waits for the end of its retention, which then is over."""
        lists = (self._data / "ingest").glob("*.garbage.json")
        return any(json.loads(path.read_bytes())["unnamed_since"] for path in lists)

    def _half_there(self) -> bool:
        return _MOVED in journal_of(Warehouse(self._data).layout, "lab-a").pending()

    def _go_on(self) -> None:
        """Change the store once, in the middle of something where that can be had."""
        if not self._changed and (self._half_there() or not self._left):
            change(self._store)
            self._changed, self._left = True, set(HOSTS)


def run(root: Path, *, n_kills: int, seed: int) -> Drill:
    """Play rounds until so many processes were killed, and in every phase at least one.

    Raises
    ------
    AssertionError
        Where a reader sees an error, content differs, an orphan stays or a phase is never hit.
    """
    drill = prepared(root, seed)
    n_rounds = 0
    while drill.n_kills < n_kills or drill.unhit():
        assert n_rounds < _MOST_FRUITLESS or drill.n_kills < n_kills, drill.unhit()
        Round(drill).play(n_kills)
        n_rounds += 1
    return drill


def histogram(drill: Drill) -> str:
    """Return phase → kills as text, a column for each victim."""
    victims = ("ingest", "supervisor", "worker", "compaction")
    head = f"{'phase':32}" + "".join(f"{victim:>12}" for victim in (*victims, "all"))
    lines = [
        f"{phase:32}"
        + "".join(f"{drill.deaths[victim, phase] or '':>12}" for victim in victims)
        + f"{drill.by_phase()[phase]:>12}"
        for phase in PHASES
    ]
    return "\n".join([head, *lines, f"{drill.n_kills} kills in {drill.n_lives} lives"])


def main() -> None:
    """Run the drill and print the histogram."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        print(histogram(run(Path(root), n_kills=chosen.kills, seed=chosen.seed)))


if __name__ == "__main__":
    main()
