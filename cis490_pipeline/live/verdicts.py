"""What the tables say of episodes: verdicts of the validation table, windows and transitions.

Read in threads, whole for the list of episodes (a few columns) and by id for one of them.

Not here: searching (``explorer``), judging (``validation``).
"""

from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from cis490_pipeline.live.event_parts import (
    ReceivedEpisode,
)
from cis490_pipeline.schema.phases import NOT_A_CLASS, PHASES
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse

_COLUMNS = (
    "episode_id",
    "host_id",
    "sha256",
    "size_bytes",
    "received_at_s",
    "status",
    "reasons",
    "soft_reasons",
    "profile",
    "sample_name",
    "sample_kind",
    "duration_observed_s",
    "phases_observed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row of the validation table; it speaks of the bytes with that sha256 and of no others."""

    sha256: str
    status: str
    reasons: tuple[str, ...]
    soft_reasons: tuple[str, ...]
    profile: str | None
    sample_name: str | None
    sample_kind: str | None
    duration_observed_s: float | None
    phases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The whole table: verdicts by episode, and its rows as the index would have them."""

    version: int | None
    judged: dict[str, Judged]
    received: tuple[ReceivedEpisode, ...]


NO_VERDICTS = Verdicts(version=None, judged={}, received=())


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledWindow:
    """A window of the grid; ``phase`` is None where its label is no class."""

    window: int
    t_center_s: float
    phase: str | None
    label_purity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A phase begins, seconds since the first label."""

    t_s: float
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the tables hold of an accepted episode with that sha256; ``end_s`` ends telemetry."""

    end_s: float | None
    transitions: tuple[Transition, ...]
    windows: tuple[LabelledWindow, ...]


def read_verdicts(warehouse: Warehouse, known: Verdicts) -> Verdicts:
    """Read the validation table; what is known already where it has not changed.

    Rows come in the order in which the episodes were received, as far as that is recorded.
    """
    version = warehouse.tables.version(Table.VALIDATION_INDEX)
    if version == known.version:
        return known
    rows = warehouse.tables.read(Table.VALIDATION_INDEX, columns=_COLUMNS).to_pylist()
    rows.sort(key=lambda row: (row["received_at_s"] or 0.0, row["episode_id"]))
    return Verdicts(
        version=version,
        judged={row["episode_id"]: _judged(row) for row in rows},
        received=tuple(_received(row) for row in rows),
    )


def _judged(row: dict[str, Any]) -> Judged:
    phases = row["phases_observed"]
    return Judged(
        sha256=row["sha256"],
        status=row["status"],
        reasons=tuple(row["reasons"] or ()),
        soft_reasons=tuple(row["soft_reasons"] or ()),
        profile=row["profile"],
        sample_name=row["sample_name"],
        sample_kind=row["sample_kind"],
        duration_observed_s=row["duration_observed_s"],
        phases=tuple(phases.split(",")) if phases else (),
    )


def _received(row: dict[str, Any]) -> ReceivedEpisode:
    return ReceivedEpisode(
        episode_id=row["episode_id"],
        host_id=row["host_id"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        received_at=row["received_at_s"],
    )


def read_course(warehouse: Warehouse, episode: ReceivedEpisode) -> Course:
    """Read the labels of an episode; empty where the tables do not have these bytes."""
    this = (
        (pc.field("host_id") == episode.host_id)
        & (pc.field("episode_id") == episode.episode_id)
        & (pc.field("sha256") == episode.sha256)
    )
    columns = ("t0_wall_ns", "t_end_wall_ns", "transitions")
    found = warehouse.tables.read(Table.EPISODES, columns=columns, where=this).to_pylist()
    columns = ("window", "t_center_s", "phase", "label_purity")
    rows = warehouse.tables.read(Table.WINDOW_FEATURES, columns=columns, where=this).to_pylist()
    row: dict[str, Any] = found[0] if found else {"transitions": ()}
    return Course(
        end_s=(row["t_end_wall_ns"] - row["t0_wall_ns"]) / 1e9 if found else None,
        transitions=tuple(Transition(**one) for one in row["transitions"] or ()),
        windows=tuple(_window(one) for one in sorted(rows, key=lambda one: one["window"])),
    )


def _window(row: dict[str, Any]) -> LabelledWindow:
    code = row["phase"]
    return LabelledWindow(
        window=row["window"],
        t_center_s=row["t_center_s"],
        phase=None if code is None or code == NOT_A_CLASS else PHASES[code].value,
        label_purity=row["label_purity"],
    )
