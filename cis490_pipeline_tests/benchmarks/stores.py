"""The synthetic stores that rows share, made when first asked for, and what was ingested of them.

Not here: measuring, except that ingesting the large store is a measurement itself.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.store import write_store
from cis490_pipeline_tests.benchmarks.budgets import BenchmarkError
from cis490_pipeline_tests.benchmarks.children import Measured, Order, measure

_HOSTS: Final = ("a", "b")
_DAMAGE: Final = 0.05
_ROOM_BYTES_PER_EPISODE_SECOND: Final = 4_000
"""Tarball, shard, tables and the ``.npz`` of a second of an episode, rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large a run is.

    Attributes
    ----------
    seconds
        Length of every episode.
    episodes, held_episodes
        Of the intact store, and of the large one with damage.
    repetitions
        Pairs of measurements of one row; half as many where they are slow, twice where cheap.
    sample
        Episodes that the straightforward path is run on.
    resamples
        Of the slow loop; it is scaled up to the 2,000 of the fast one.
    epochs, cases
        Of the transformers, and windows that each of their slices has at most.
    processes
        That write the stores.
    """

    seconds: float
    episodes: int
    held_episodes: int
    repetitions: int
    sample: int
    resamples: int
    epochs: int
    cases: int
    processes: int = 2


FULL: Final = Scale(
    seconds=255.0,
    episodes=1_000,
    held_episodes=10_000,
    repetitions=5,
    sample=12,
    resamples=20,
    epochs=10,
    cases=1_500,
)
QUICK: Final = Scale(
    seconds=30.0,
    episodes=40,
    held_episodes=200,
    repetitions=1,
    sample=3,
    resamples=3,
    epochs=2,
    cases=256,
)


class Stores:
    """Stores and warehouses below ``root``; whoever made ``root`` removes it."""

    def __init__(self, root: Path, scale: Scale, say: Callable[[str], None]) -> None:
        self.root = root
        self.scale = scale
        self._say = say
        self._serial = 0

    def require_room(self) -> None:
        """Refuse a directory in which the run would end in a full disk."""
        n_episodes = self.scale.held_episodes + 3 * self.scale.episodes
        needed = int(n_episodes * self.scale.seconds * _ROOM_BYTES_PER_EPISODE_SECOND)
        free = shutil.disk_usage(self.root).free
        if free < needed:
            raise BenchmarkError(
                f"{self.root} has {free / 1e9:.1f} GB free, a run takes up to {needed / 1e9:.1f} GB"
            )

    @cached_property
    def warm(self) -> Path:
        """Two episodes to import, compile and allocate for."""
        return self._made("warm", 2, seed=3)

    @cached_property
    def intact(self) -> Path:
        return self._made("intact", self.scale.episodes, seed=1)

    @cached_property
    def large(self) -> Path:
        return self._made("large", self.scale.held_episodes, seed=2, damage=_DAMAGE)

    @cached_property
    def arrivals(self) -> Path:
        """New episodes of the same hosts, one for each repetition, a first one and a spare."""
        return self._made("arrivals", 2 * (self.n_arrivals + 2), seed=4)

    @property
    def n_arrivals(self) -> int:
        return 2 * self.scale.repetitions

    @cached_property
    def held_intact(self) -> Path:
        """Warehouse of the intact store."""
        out = self.new_directory("held-intact")
        self.measure("ingest", self.intact, out=out)
        return out

    @cached_property
    def held_large(self) -> tuple[Path, Measured]:
        """Warehouse of the large store, and how its ingest went."""
        out = self.new_directory("held-large")
        return out, self.measure("ingest", self.large, out=out)

    def new_directory(self, name: str) -> Path:
        """A path that nothing stands at."""
        self._serial += 1
        return self.root / f"{self._serial:03d}-{name}"

    def measure(
        self, work: str, store: Path, *, amount: int = 1, out: Path | None = None
    ) -> Measured:
        """Run a work in a child; what it writes is removed unless ``out`` names a place for it."""
        target = out or self.new_directory(work)
        warm_out = self.new_directory("warm")
        order = Order(
            work=work,
            store=str(store),
            out=str(target),
            warm_store=str(self.warm),
            warm_out=str(warm_out),
            amount=amount,
        )
        try:
            return measure(order)
        finally:
            for path in (warm_out, *(() if out else (target,))):
                shutil.rmtree(path, ignore_errors=True)

    def _made(self, name: str, n_episodes: int, *, seed: int, damage: float = 0.0) -> Path:
        seconds = self.scale.seconds
        self._say(f"  synthesising {n_episodes} episodes of {seconds:.0f} s ({name})")
        config = SynthConfig(
            hosts={host: n_episodes // len(_HOSTS) for host in _HOSTS},
            seconds=seconds,
            seed=seed,
            damage=damage,
        )
        root = self.root / f"store-{name}"
        write_store(root, config, self.scale.processes if n_episodes >= 100 else 1)
        return root
