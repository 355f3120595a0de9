"""Clock skew of the sources, as far as the 10 Hz grid shows it.

All sources are put on the labels' clock by ``t_wall_ns``. A source whose clock runs *ahead* has its
first value late; one whose clock is *behind* has its last value before the others do (what it said
before the first label is not on the grid). A recorder that starts late or dies early looks the
same: the finding says what is seen, and that either may be the cause.

The grid carries a last row forward for the source's bound (1 or 2.5 s), so a clock that is behind
shows only beyond that; the bound is added to what is seen. A source whose clock is off by more than
the episode has rows and no value at all.

Not here: absent channels (``channels``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cis490_pipeline.features.shards import open_shard
from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.quality.findings import CheckOutcome, Finding
from cis490_pipeline.quality.history import Held, newest_held
from cis490_pipeline.schema.channels import SOURCE_FACTS, Source, channel_slice
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import TICK_S
from cis490_pipeline.warehouse.tables import Tables
from cis490_pipeline.warehouse.warehouse import Warehouse

_MIN_SKEWED = 3
"""Episodes: one or two alone are an accident of recording, not a clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpan:
    """Where a source's values lie on one episode's grid.

    Attributes
    ----------
    start_s
        From the first tick to the first value; also how far the clock is ahead, if it is.
    end_s
        From its last row to the last tick, beyond the other sources' median and never below 0.
    """

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceClock:
    """A source over a host's newest episodes.

    ``n_episodes`` counts those in which it has rows; ``n_off_grid`` those of them without a value
    on the grid. Times are medians and extremes over the others, in seconds, None where none is.
    """

    source: Source
    n_episodes: int
    n_off_grid: int
    n_late: int
    n_early: int
    median_start_s: float | None
    worst_start_s: float | None
    median_end_s: float | None
    worst_end_s: float | None


def source_spans(x_TC: NDArray[np.float32]) -> Mapping[Source, SourceSpan]:
    """Return the spans of the sources that have a value on a grid ``[n_ticks, 46]``."""
    first_last: dict[Source, tuple[int, int]] = {}
    for source in Source:
        ticks = np.flatnonzero(np.isfinite(x_TC[:, channel_slice(source)]).any(axis=1))
        if ticks.size:
            first_last[source] = (int(ticks[0]), int(ticks[-1]))
    starts = {source: first * TICK_S for source, (first, _) in first_last.items()}
    ends = {source: _end_s(source, last, len(x_TC)) for source, (_, last) in first_last.items()}
    # A clock that is ahead drags the end of the grid along: where it would end without that is what
    # the others are held against, or they would all seem to end early.
    unshifted = {source: ends[source] + starts[source] for source in ends}
    return {
        source: SourceSpan(
            start_s=starts[source], end_s=max(0.0, ends[source] - _others(unshifted, source))
        )
        for source in first_last
    }


def _end_s(source: Source, last_tick: int, n_ticks: int) -> float:
    """Return the seconds from a source's last row to the end; 0 where a row still speaks there."""
    gap = n_ticks - 1 - last_tick
    return gap * TICK_S + SOURCE_FACTS[source].staleness_ns / 1e9 if gap else 0.0


def _others(ends: Mapping[Source, float], source: Source) -> float:
    return median([end for other, end in ends.items() if other is not source] or [0.0])


def source_clocks(
    spans: Sequence[Mapping[Source, SourceSpan]],
    has_rows: Sequence[frozenset[Source]],
    max_skew_s: float,
) -> tuple[SourceClock, ...]:
    """Sum up the spans of several episodes.

    Parameters
    ----------
    spans, has_rows
        Per episode: the spans, and the sources that declare rows.
    max_skew_s
        From which on a source begins late or ends early.
    """
    return tuple(_clock(source, spans, has_rows, max_skew_s) for source in Source)


def _clock(
    source: Source,
    spans: Sequence[Mapping[Source, SourceSpan]],
    has_rows: Sequence[frozenset[Source]],
    max_skew_s: float,
) -> SourceClock:
    found = [episode[source] for episode in spans if source in episode]
    n_off_grid = sum(
        source in declared and source not in episode
        for episode, declared in zip(spans, has_rows, strict=True)
    )
    starts, ends = [one.start_s for one in found], [one.end_s for one in found]
    return SourceClock(
        source=source,
        n_episodes=len(found) + n_off_grid,
        n_off_grid=n_off_grid,
        n_late=sum(start > max_skew_s for start in starts),
        n_early=sum(end > max_skew_s for end in ends),
        median_start_s=median(starts) if found else None,
        worst_start_s=max(starts, default=None),
        median_end_s=median(ends) if found else None,
        worst_end_s=max(ends, default=None),
    )


def clock_findings(clocks: Iterable[SourceClock], config: QualityConfig) -> tuple[Finding, ...]:
    """Return the sources of which too many episodes are off."""
    return tuple(
        _finding(clock, config)
        for clock in clocks
        if clock.n_episodes >= config.min_episodes
        and max(clock.n_late, clock.n_early, clock.n_off_grid)
        >= max(_MIN_SKEWED, config.max_skewed_share * clock.n_episodes)
    )


def _finding(clock: SourceClock, config: QualityConfig) -> Finding:
    told: list[str] = []
    if clock.n_late:
        told.append(
            f"begins more than {config.max_skew_s:g} s after the first label in {clock.n_late} "
            f"(median {clock.median_start_s:.1f} s, at most {clock.worst_start_s:.1f} s): its "
            "clock is ahead, or it starts late"
        )
    if clock.n_early:
        told.append(
            f"ends more than {config.max_skew_s:g} s before the others in {clock.n_early} "
            f"(median {clock.median_end_s:.1f} s, at most {clock.worst_end_s:.1f} s): its clock "
            "is behind, or it stops early"
        )
    if clock.n_off_grid:
        told.append(f"has rows and not one value inside the episode in {clock.n_off_grid}")
    return Finding(
        symptom="clock-skew",
        subject=clock.source.value,
        detail=f"of {clock.n_episodes} episodes, {'; '.join(told)}",
        suggested_fix=f"compare t_wall_ns of {SOURCE_FACTS[clock.source].file_name} with the "
        "labels of one of these episodes, and look at time synchronisation on that host",
    )


def host_clocks(warehouse: Warehouse, host_id: str, config: QualityConfig) -> list[SourceClock]:
    """Read the grids of a host's newest episodes and sum up its sources.

    Raises
    ------
    WarehouseError
        Where a shard that the tables name cannot be read.
    """
    held = [
        one for one in newest_held(warehouse.tables, host_id, config.recent_episodes) if one.shard
    ]
    spans = [source_spans(_grid(warehouse, one)) for one in held]
    declared = _declared(warehouse.tables, [one.episode_id for one in held])
    has_rows = [declared.get(one.episode_id, frozenset()) for one in held]
    return list(source_clocks(spans, has_rows, config.max_skew_s))


def _grid(warehouse: Warehouse, held: Held) -> NDArray[np.float32]:
    end = held.first_tick + held.n_ticks
    return open_shard(warehouse.layout.shard(held.shard or ""), min_ticks=end)[
        held.first_tick : end
    ]


def _declared(tables: Tables, episode_ids: Sequence[str]) -> dict[str, frozenset[Source]]:
    """Return episode → the sources whose rows its metadata declares."""
    columns = ["episode_id", *(f"rows_{source.value}" for source in Source)]
    chosen = pc.field("episode_id").isin(pa.array(episode_ids, pa.string()))
    rows = tables.read(Table.VALIDATION_INDEX, columns=columns, where=chosen).to_pylist()
    return {
        row["episode_id"]: frozenset(s for s in Source if (row[f"rows_{s.value}"] or 0) > 0)
        for row in rows
    }


def check_clocks(warehouse: Warehouse, host_id: str, config: QualityConfig) -> CheckOutcome:
    """Look at the clocks of a host's sources in its newest episodes."""
    clocks = host_clocks(warehouse, host_id, config)
    return CheckOutcome(
        findings=clock_findings(clocks, config),
        looked_at=f"the newest {config.recent_episodes} episodes at most",
        head=("source", "episodes", "begins after (median, worst)", "ends before (median, worst)"),
        rows=tuple(
            (
                clock.source.value,
                str(clock.n_episodes),
                _pair(clock.median_start_s, clock.worst_start_s),
                _pair(clock.median_end_s, clock.worst_end_s),
            )
            for clock in clocks
        ),
    )


def _pair(middle: float | None, worst: float | None) -> str:
    return "–" if middle is None or worst is None else f"{middle:.1f} s, {worst:.1f} s"
