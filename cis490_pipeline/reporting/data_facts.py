"""What the data card says, gathered from the tables: counts and figures, no text.

Not here: the card itself (``data_card``, ``data_page``), the rules behind findings (``quality``).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from cis490_pipeline.quality.alerts import AlertsReading
from cis490_pipeline.quality.channels import ChannelState, check_channels, read_channel_states
from cis490_pipeline.quality.clocks import SourceClock, clock_findings, host_clocks
from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.quality.downgrade import share_changes, share_outcome
from cis490_pipeline.quality.findings import Finding
from cis490_pipeline.quality.history import newest, received_from
from cis490_pipeline.quality.versions import RecorderVersion, recorder_versions, version_findings
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import TICK_S
from cis490_pipeline.splits.config import TRAINABLE_STATUSES
from cis490_pipeline.validation.record import ValidationRow
from cis490_pipeline.validation.summary import summarize
from cis490_pipeline.warehouse.tables import Tables
from cis490_pipeline.warehouse.warehouse import Warehouse

OTHER_PHASE: Final = "other"
PHASE_NAMES: Final = (*(phase.value for phase in PHASES), "failed", OTHER_PHASE)
"""Canonical phases, ``failed``, and whatever else a recorder may call a phase."""
_MAX_BINS: Final = 48
_BIN_MINUTES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 2 * 1440, 7 * 1440)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCell:
    """How many episodes, and windows of them, a host has of a profile with a status."""

    host_id: str
    profile: str
    status: str
    n_episodes: int
    n_windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """The samples of a profile on a host, among the episodes that train.

    ``effective`` is the exponential of the entropy of the names: 2 names in equal parts count 2,
    one of which occurs once in a hundred episodes counts 1.06.
    """

    host_id: str
    profile: str
    n_episodes: int
    names: tuple[str, ...]
    effective: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Episodes of a host by time of reception.

    ``counts`` has a row per status of ``statuses`` and a column per bin; bin ``i`` begins at
    ``first_s + i * step_s`` (Unix seconds) and all hosts have the same bins.
    """

    host_id: str
    first_s: float
    step_s: int
    statuses: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """One host.

    Attributes
    ----------
    lengths_s
        Minimum, quartiles and maximum of its grids in seconds; empty where it has none.
    phase_s
        Seconds per name of ``PHASE_NAMES``.
    channels
        Over all its accepted and degraded episodes; empty where it has none.
    clocks, versions, findings
        Over its newest episodes.
    """

    host_id: str
    lengths_s: tuple[float, ...]
    phase_s: tuple[float, ...]
    channels: tuple[ChannelState, ...]
    clocks: tuple[SourceClock, ...]
    versions: tuple[RecorderVersion, ...]
    reasons: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """All that the card says.

    ``damage`` is (kind, rows of the index); ``newest`` how many episodes the checks look at.
    """

    cells: tuple[CoverageCell, ...]
    diversity: tuple[Diversity, ...]
    receptions: tuple[Reception, ...]
    hosts: tuple[HostFacts, ...]
    damage: tuple[tuple[str, int], ...]
    alerts: AlertsReading
    newest: int
    schema_fingerprint: str

    @property
    def profiles(self) -> tuple[str, ...]:
        """All profiles, sorted; last the empty one, of episodes that could not be opened."""
        return tuple(sorted({cell.profile for cell in self.cells}, key=lambda p: (not p, p)))

    @property
    def n_episodes(self) -> int:
        """Indexed episodes."""
        return sum(cell.n_episodes for cell in self.cells)

    @property
    def n_windows(self) -> int:
        """Windows of all of them."""
        return sum(cell.n_windows for cell in self.cells)

    @property
    def reasons(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Kinds of reasons with their episodes per host, the most frequent first."""
        counts = [dict(host.reasons) for host in self.hosts]
        names = {name for one in counts for name in one}
        table = [(name, tuple(one.get(name, 0) for one in counts)) for name in names]
        return tuple(sorted(table, key=lambda row: (-sum(row[1]), row[0])))

    def count(self, *, host_id: str = "", profile: str | None = None, status: str = "") -> int:
        """Return the episodes of a host, of a profile, with a status; each may be left open."""
        return sum(
            cell.n_episodes
            for cell in self.cells
            if (not host_id or cell.host_id == host_id)
            and (profile is None or cell.profile == profile)
            and (not status or cell.status == status)
        )


def gather_facts(
    warehouse: Warehouse,
    rows: Sequence[ValidationRow],
    damage: Sequence[tuple[str, int]],
    alerts: AlertsReading,
    config: QualityConfig,
) -> DataFacts:
    """Read what the card says of ``rows``, the whole validation index."""
    hosts = sorted({row.host_id for row in rows})
    spans = _episode_spans(warehouse.tables)
    return DataFacts(
        cells=_cells(rows, _windows(warehouse.tables)),
        diversity=_diversity(rows),
        receptions=_receptions(rows),
        hosts=tuple(_host(warehouse, host, rows, spans.get(host, []), config) for host in hosts),
        damage=tuple((kind, count) for kind, count in damage if count),
        alerts=alerts,
        newest=config.recent_episodes,
        schema_fingerprint=current_schema().fingerprint,
    )


def _windows(tables: Tables) -> Counter[str]:
    ids = tables.read(Table.WINDOW_FEATURES, columns=["episode_id"])["episode_id"]
    return Counter(ids.to_pylist())


def _cells(rows: Sequence[ValidationRow], windows: Counter[str]) -> tuple[CoverageCell, ...]:
    counts: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        cell = counts.setdefault((row.host_id, row.profile or "", row.status), [0, 0])
        cell[0] += 1
        cell[1] += windows[row.episode_id]
    return tuple(
        CoverageCell(host_id=host, profile=profile, status=status, n_episodes=n, n_windows=w)
        for (host, profile, status), (n, w) in sorted(counts.items())
    )


def _diversity(rows: Iterable[ValidationRow]) -> tuple[Diversity, ...]:
    names: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        if row.status in TRAINABLE_STATUSES:
            counted = names.setdefault((row.host_id, row.profile or ""), Counter())
            counted[row.sample_name or ""] += 1
    return tuple(
        Diversity(
            host_id=host,
            profile=profile,
            n_episodes=counted.total(),
            names=tuple(sorted(counted)),
            effective=effective_number(counted.values()),
        )
        for (host, profile), counted in sorted(names.items())
    )


def effective_number(counts: Iterable[int]) -> float:
    """Return the exponential of the entropy of some counts (a Hill number of order 1).

    >>> effective_number([5, 5]), round(effective_number([99, 1]), 2)
    (2.0, 1.06)
    """
    shares = np.array([count for count in counts if count], dtype=np.float64)
    shares /= shares.sum()
    return round(math.exp(-float((shares * np.log(shares)).sum())), 9)


def _receptions(rows: Sequence[ValidationRow]) -> tuple[Reception, ...]:
    """Bin what has a time of reception; the step is the finest that needs at most 48 bins."""
    times = [row.received_at_s for row in rows if row.received_at_s is not None]
    if not times:
        return ()
    oldest, latest = min(times), max(times)
    step_s = next(
        (60 * m for m in _BIN_MINUTES if latest // (60 * m) - oldest // (60 * m) < _MAX_BINS),
        math.ceil((latest - oldest) / (_MAX_BINS - 1)),
    )
    first = int(oldest // step_s)
    n_bins = int(latest // step_s) - first + 1
    statuses = tuple(sorted({row.status for row in rows}))
    counts: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {}
    for row in rows:
        held = counts.setdefault(row.host_id, np.zeros((len(statuses), n_bins), dtype=np.int64))
        if row.received_at_s is not None:
            held[statuses.index(row.status), int(row.received_at_s // step_s) - first] += 1
    return tuple(
        Reception(
            host_id=host,
            first_s=float(first * step_s),
            step_s=step_s,
            statuses=statuses,
            counts=tuple(tuple(line) for line in counts[host].tolist()),
        )
        for host in sorted(counts)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _EpisodeSpan:
    length_s: float
    phase_s: dict[str, float]


def _episode_spans(tables: Tables) -> dict[str, list[_EpisodeSpan]]:
    columns = ["host_id", "t0_wall_ns", "t_end_wall_ns", "n_ticks", "transitions"]
    found: dict[str, list[_EpisodeSpan]] = {}
    for row in tables.read(Table.EPISODES, columns=columns).to_pylist():
        end = row["t_end_wall_ns"]
        end_s = 0.0 if end is None else (end - row["t0_wall_ns"]) / 1e9
        marks = [(one["t_s"], one["phase"]) for one in row["transitions"]]
        span = _EpisodeSpan(length_s=row["n_ticks"] * TICK_S, phase_s=_phase_s(marks, end_s))
        found.setdefault(row["host_id"], []).append(span)
    return found


def _phase_s(marks: Sequence[tuple[float, str]], end_s: float) -> dict[str, float]:
    """Return the seconds of each phase; a row opens one that lasts until the next."""
    seconds: dict[str, float] = {}
    ends = [start for start, _ in marks[1:]] + [end_s]
    for (start, name), end in zip(marks, ends, strict=True):
        phase = name if name in PHASE_NAMES else OTHER_PHASE
        seconds[phase] = seconds.get(phase, 0.0) + max(0.0, min(end, end_s) - start)
    return seconds


def _host(
    warehouse: Warehouse,
    host: str,
    rows: Sequence[ValidationRow],
    spans: Sequence[_EpisodeSpan],
    config: QualityConfig,
) -> HostFacts:
    lengths = [span.length_s for span in spans]
    quartiles = np.percentile(lengths, [0, 25, 50, 75, 100]) if lengths else np.empty(0)
    history = received_from(warehouse.tables, host)
    versions = recorder_versions(newest(history, config.recent_episodes))
    clocks = tuple(host_clocks(warehouse, host, config))
    return HostFacts(
        host_id=host,
        lengths_s=tuple(round(float(one), 3) for one in quartiles),
        phase_s=tuple(
            round(sum(span.phase_s.get(name, 0.0) for span in spans), 3) for name in PHASE_NAMES
        ),
        channels=read_channel_states(warehouse.tables, pc.field("host_id") == host),
        clocks=clocks,
        versions=versions,
        reasons=summarize([row for row in rows if row.host_id == host], ()).top_reasons,
        findings=(
            *share_outcome(share_changes(history, config)).findings,
            *version_findings(versions),
            *clock_findings(clocks, config),
            *check_channels(warehouse, host, config).findings,
        ),
    )
