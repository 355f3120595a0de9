"""How the recorded time divides into phases, by the warehouse's tables.

By seconds where the episodes' transitions are known: a phase lasts until the next one begins, the
last until telemetry ends. Where there is no such table, or nothing in it, by the labels that the
validation table counts. Only canonical phases are in the denominator.

Not here: phases of windows (``verdicts``).
"""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from anyio.to_thread import run_sync

from cis490_pipeline.live.event_parts import (
    MixBasis,
    PhaseShares,
)
from cis490_pipeline.live.events import (
    PhaseMix,
)
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.schema.phases import PHASES, phase_code
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse

_COLUMNS = ("t0_wall_ns", "t_end_wall_ns", "transitions")


class PhaseMixFeeder:
    """Counts everything anew, every time."""

    def __init__(self, warehouse: Warehouse, hub: Hub, holdings: Holdings) -> None:
        self._warehouse = warehouse
        self._hub = hub
        self._holdings = holdings

    async def step(self) -> str | None:
        """Count and publish."""
        counted = await run_sync(count_phases, self._warehouse, abandon_on_cancel=True)
        if counted is None:
            return str(self._warehouse.tables.path(Table.VALIDATION_INDEX))
        self._hub.publish(mix_of(counted, population=len(self._holdings)))
        return None


@dataclass(slots=True)
class Counted:
    """Labels by name and, where they are known, seconds; of so many episodes."""

    labels: Counter[str] = field(default_factory=Counter[str])
    seconds: dict[str, float] | None = None
    episodes: int = 0


def count_phases(warehouse: Warehouse) -> Counted | None:
    """Count labels and seconds; None where no table is there yet.

    The table of episodes is read a few thousand rows at a time.
    """
    tables = warehouse.tables
    if not tables.exists(Table.VALIDATION_INDEX):
        return None
    seconds: dict[str, float] = {}
    counted = Counted(seconds=seconds)
    for rows in tables.batches(Table.EPISODES, columns=_COLUMNS):
        _add_seconds(counted, seconds, rows)
    return counted if counted.episodes else _count_labels(warehouse)


def _add_seconds(counted: Counted, seconds: dict[str, float], rows: pa.Table) -> None:
    counted.episodes += rows.num_rows
    for row in rows.to_pylist():
        labels = row["transitions"] or ()
        end_s = (row["t_end_wall_ns"] - row["t0_wall_ns"]) / 1e9
        ends = [*(label["t_s"] for label in labels[1:]), end_s]
        for label, until_s in zip(labels, ends, strict=False):
            counted.labels[label["phase"]] += 1
            # a label behind the end of telemetry lasts no time
            lasted_s = max(0.0, min(until_s, end_s) - label["t_s"])
            seconds[label["phase"]] = seconds.get(label["phase"], 0.0) + lasted_s


def _count_labels(warehouse: Warehouse) -> Counted:
    columns = ("phases_observed",)
    present = pc.field("phases_observed") != ""
    column = warehouse.tables.read(Table.VALIDATION_INDEX, columns=columns, where=present)
    texts = column["phases_observed"].to_pylist()
    labels = Counter(phase for text in texts for phase in text.split(","))
    return Counted(labels=labels, seconds=None, episodes=len(texts))


def mix_of(counted: Counted, *, population: int) -> PhaseMix:
    """Return the event; proportions are null where nothing canonical was counted."""
    counts = {phase: counted.labels[phase.value] for phase in PHASES}
    seconds = None
    if counted.seconds is not None:
        seconds = {phase: counted.seconds.get(phase.value, 0.0) for phase in PHASES}
    weights = counts if seconds is None else seconds
    total = sum(weights.values())
    shares = {phase.value: weight / total for phase, weight in weights.items()} if total else None
    return PhaseMix(
        basis=MixBasis.LABELS if seconds is None else MixBasis.SECONDS,
        proportions=None if shares is None else PhaseShares(**shares),
        counts=counts,
        weighted_seconds=seconds,
        sampled_episodes=counted.episodes,
        population_episodes=population,
        total_labels=sum(counts.values()),
        other_labels=sum(n for name, n in counted.labels.items() if phase_code(name) < 0),
    )
