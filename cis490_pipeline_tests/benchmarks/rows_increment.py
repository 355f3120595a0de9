"""The row about one new episode in a store that is held already.

Both sides are runs of the library in this process, alternately: one that finds nothing new, then
one that finds a single new episode. Wall time, since that is what somebody waits for; it includes
every sync of the commit.
"""

import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.benchmarks.budgets import BenchmarkError, Line, at_most, paired
from cis490_pipeline_tests.benchmarks.stores import Stores

_HOST: Final = "a"
_INDEX: Final = "growing_index.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """A held store to which episodes are added one by one, behind an index of its own."""

    root: Path
    warehouse: Warehouse
    nothing_s: list[float] = field(default_factory=list[float])
    one_s: list[float] = field(default_factory=list[float])

    @classmethod
    def over(cls, root: Path, warehouse: Path) -> "Growing":
        shutil.copyfile(root / "index.jsonl", root / _INDEX)
        with (root / _INDEX).open("ab") as index:
            index.write(b"\n")  # the last line of a damaged index may be torn
        return cls(root=root, warehouse=Warehouse(warehouse))

    @property
    def extra_s(self) -> list[float]:
        return [one - nothing for one, nothing in zip(self.one_s, self.nothing_s, strict=True)]

    def run(self, expected: int) -> float:
        """Wall seconds of a run, which must find so many new episodes."""
        began = time.perf_counter()
        report = ingest_host(EpisodeStore(self.root, _INDEX), self.warehouse, _HOST)
        seconds = time.perf_counter() - began
        if report.episodes_new != expected:
            raise BenchmarkError(f"a run found {report.episodes_new} new episodes, not {expected}")
        return seconds

    def add(self, arrivals: Path, line: bytes, episode_id: str) -> None:
        relative = Path("episodes") / _HOST / f"{episode_id}.tar.zst"
        shutil.copyfile(arrivals / relative, self.root / relative)
        with (self.root / _INDEX).open("ab") as index:
            index.write(line + b"\n")


def one_new(stores: Stores) -> tuple[Line, ...]:
    """What one new episode costs, at two sizes of what is held."""
    small = Growing.over(stores.intact, stores.held_intact)
    large = Growing.over(stores.large, stores.held_large[0])
    first, *rest = _arrivals(stores.arrivals)
    for store in (small, large):  # not measured: compiles, and takes what is tried again
        store.add(stores.arrivals, *first)
        ingest_host(EpisodeStore(store.root, _INDEX), store.warehouse, _HOST)
    for line, episode_id in rest[: stores.n_arrivals]:
        for store in (small, large):
            store.nothing_s.append(store.run(0))
            store.add(stores.arrivals, line, episode_id)
            store.one_s.append(store.run(1))
    held = (stores.scale.episodes, stores.scale.held_episodes)
    return (*_extra_lines(small, large, held), growth_line(small, large, held))


def _arrivals(root: Path) -> list[tuple[bytes, str]]:
    lines = (root / "index.jsonl").read_bytes().splitlines()
    ids = {path.name.removesuffix(".tar.zst") for path in (root / "episodes" / _HOST).iterdir()}
    return [(line, one) for line in lines for one in ids if one.encode() in line]


def _extra_lines(small: Growing, large: Growing, held: tuple[int, int]) -> list[Line]:
    return [
        Line(
            what=f"one new episode at {n_held:,} held, wall time more",
            reference="a run that finds nothing new",
            unit="s",
            samples=tuple(store.extra_s),
            budget=at_most(0.2),
            absolute={
                "candidate_wall_s": median(store.one_s),
                "reference_wall_s": median(store.nothing_s),
            },
        )
        for store, n_held in zip((small, large), held, strict=True)
    ]


def growth_line(small: Growing, large: Growing, held: tuple[int, int]) -> Line:
    """Return how what one new episode adds has grown from the small store to the large one."""
    line = Line(
        what=f"one new episode, {held[1]:,} over {held[0]:,} held",
        reference=f"the same at {held[0]:,} held",
        unit="×",
        samples=(),
        budget=at_most(1.5),
        absolute={"whole_run_ratio": median(paired(large.one_s, small.one_s))},
        notes=("of what the episode adds to a run; the whole run's ratio is in the JSON",),
    )
    # a difference of two runs can come out negative where others use the machine: not pair by pair
    typical_s = median(small.extra_s)
    if typical_s <= 0:
        return replace(line, absent="drowned in noise: measure again on a quieter machine")
    return replace(line, samples=tuple(extra_s / typical_s for extra_s in large.extra_s))
