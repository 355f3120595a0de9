"""Rows about ingest as a process: CPU against two references, threads, memory, first use.

Everything runs in child processes, candidate and reference in turn, and is measured from outside.
"""

import shutil
from dataclasses import replace
from statistics import median
from typing import Final

from cis490_pipeline_tests.benchmarks.budgets import Line, at_least, at_most, paired
from cis490_pipeline_tests.benchmarks.children import Measured, Order, measure
from cis490_pipeline_tests.benchmarks.machine import load
from cis490_pipeline_tests.benchmarks.stores import Stores

_LIMIT: Final = "read + sha256 + zstd + simdjson DOM of the same bytes, nothing written"
_VARIANTS: Final = {
    "per-window": "straightforward path, statistics by a loop over windows",
    "loops": "straightforward path, statistics by a loop over windows and channels",
}


def cpu_per_episode(measured: Measured) -> float:
    """Seconds; what the limit spends on joining lines is not its work."""
    excluded_s = measured.facts.get("joining_cpu_s", 0.0)
    return (measured.cpu_s - excluded_s) / measured.facts["episodes"]


def median_ms(seconds: list[float]) -> float:
    return 1e3 * median(seconds)


def limit(stores: Stores) -> tuple[Line, ...]:
    """Ingest CPU per episode over the physical limit's."""
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(stores.scale.repetitions):
        floor.append(cpu_per_episode(stores.measure("limit", stores.intact)))
        ours.append(cpu_per_episode(stores.measure("ingest", stores.intact)))
    line = Line(
        what="ingest CPU per episode, tables and shards written",
        reference=_LIMIT,
        unit="×",
        samples=paired(ours, floor),
        budget=at_most(4.0, 2.0),
        absolute={
            "candidate_cpu_ms": median_ms(ours),
            "reference_cpu_ms": median_ms(floor),
            "episodes": float(stores.scale.episodes),
            "seconds_per_episode": stores.scale.seconds,
        },
        notes=("joining a member's lines into one array for the parser is not counted",),
    )
    return (line,)


def straightforward(stores: Stores) -> tuple[Line, ...]:
    """How many times faster than opening each tarball three times."""
    ours: list[float] = []
    theirs: dict[str, list[Measured]] = {variant: [] for variant in _VARIANTS}
    for _ in range(-(-stores.scale.repetitions // 2)):
        ours.append(cpu_per_episode(stores.measure("ingest", stores.intact)))
        for variant, seen in theirs.items():
            work = f"straightforward-{variant}"
            seen.append(stores.measure(work, stores.intact, amount=stores.scale.sample))
    lines = [_straightforward_line(variant, ours, seen) for variant, seen in theirs.items()]
    # the bound is for the more competent engineer; the other variant is for the record
    return (replace(lines[0], budget=at_least(40.0, 80.0)), *lines[1:])


def _straightforward_line(variant: str, ours: list[float], seen: list[Measured]) -> Line:
    theirs = [cpu_per_episode(measured) for measured in seen]
    facts = seen[len(seen) // 2].facts
    return Line(
        what="ingest CPU per episode, times faster",
        reference=_VARIANTS[variant],
        unit="×",
        samples=paired(theirs, ours),
        absolute={
            "candidate_cpu_ms": median_ms(ours),
            "reference_cpu_ms": median_ms(theirs),
            **{f"reference_{name}": value for name, value in facts.items() if "_ms" in name},
            "sampled_episodes": facts["episodes"],
        },
        notes=(f"the reference ran on {facts['episodes']:.0f} episodes, spread over the store",),
    )


def threads(stores: Stores) -> tuple[Line, ...]:
    """Wall time of one thread over that of two."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    cpus: dict[int, list[float]] = {1: [], 2: []}
    loads: list[float] = []
    for repetition in range(stores.scale.repetitions):
        loads.append(load())
        for amount in (1, 2) if repetition % 2 == 0 else (2, 1):
            measured = stores.measure("ingest", stores.intact, amount=amount)
            walls[amount].append(measured.wall_s)
            cpus[amount].append(measured.cpu_s)
    line = Line(
        what="ingest with two threads over one, wall time",
        reference="one thread",
        unit="×",
        samples=paired(walls[1], walls[2]),
        budget=at_least(1.5, 1.7),
        absolute={
            "candidate_wall_s": median(walls[2]),
            "reference_wall_s": median(walls[1]),
            "candidate_cpu_over_wall": sum(cpus[2]) / sum(walls[2]),
            "reference_cpu_over_wall": sum(cpus[1]) / sum(walls[1]),
            "highest_load_before": max(loads),
        },
        notes=("says nothing unless the machine is quiet: see the load",),
    )
    return (line,)


def rss(stores: Stores) -> tuple[Line, ...]:
    """Peak memory of the ingest of the large store, imports and warm-up included."""
    _, measured = stores.held_large
    line = Line(
        what="peak RSS of ingest, 5 % of the episodes damaged",
        reference="",
        unit="MB",
        samples=(measured.peak_rss_bytes / 1e6,),
        budget=at_most(600.0, 400.0),
        absolute={
            "episodes": measured.facts["episodes"],
            "cpu_s": measured.cpu_s,
            "wall_s": measured.wall_s,
            "shard_bytes": measured.facts["shard_bytes"],
        },
        notes=("one run, one thread; VmHWM of the child, read from outside",),
    )
    return (line,)


def first_use(stores: Stores) -> tuple[Line, ...]:
    """What no row counts: imports, and compilation with and without numba's cache."""
    cache = stores.new_directory("numba-cache")
    cold, warm = (
        measure(_first_use_order(stores), numba_cache=cache) for _ in ("compiles", "loads")
    )
    shutil.rmtree(cache, ignore_errors=True)
    seconds = {
        "imports of ingest": cold.import_s,
        "first two episodes, compiling every kernel": cold.first_use_s,
        "first two episodes, kernels from numba's cache": warm.first_use_s,
    }
    return tuple(
        Line(what=what, reference="", unit="s", samples=(value,), notes=("CPU, one process",))
        for what, value in seconds.items()
    )


def _first_use_order(stores: Stores) -> Order:
    names = ("out", "warm_out")
    places = {name: str(stores.new_directory(name)) for name in names}
    warm = str(stores.warm)
    return Order(work="ingest", store=warm, warm_store=warm, amount=1, **places)
