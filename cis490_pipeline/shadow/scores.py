"""What the watching model says of a host's arrivals: one row an episode, each scored once.

An arrival is an episode that may train, whose content the model was not fitted on: neither its id
nor its bytes are in train or id_val. Another model, or other bytes, and it is scored again.

Shape suffixes: N windows, E episodes.

Not here: which model (``watcher``), adding up (``summary``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cis490_pipeline.datasets.members import Member
from cis490_pipeline.edge.alarm import AlarmRule
from cis490_pipeline.evaluation.alarms import CLEAN, AlarmTrace, trace_alarm
from cis490_pipeline.evaluation.courses import EpisodeCourse, courses_of, load_basis
from cis490_pipeline.evaluation.false_alarms import per_episode
from cis490_pipeline.evaluation.on_split import predicted_rows
from cis490_pipeline.evaluation.predictions import Predictions, predictions_of
from cis490_pipeline.models.bundle import Bundle, open_bundle
from cis490_pipeline.models.classifier import Compute
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.ids import EpisodeId
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table
from cis490_pipeline.schema.windows import STRIDE_S
from cis490_pipeline.shadow.watcher import Watcher
from cis490_pipeline.warehouse.locks import held_alone
from cis490_pipeline.warehouse.warehouse import Warehouse

ARRIVED: Final = "arrived"
EPISODES_AT_ONCE: Final = 100
_EPISODE: Final = ("episode_id", "sha256", "profile", "sample_name", "status", "received_at_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An episode that arrived, as the table of episodes has it."""

    episode_id: EpisodeId
    sha256: str
    profile: str | None
    sample_name: str | None
    received_at_s: float | None

    @property
    def member(self) -> Member:
        """The content that is meant."""
        return Member(episode_id=self.episode_id, sha256=self.sha256)


def score_arrivals(
    warehouse: Warehouse,
    host: str,
    watcher: Watcher,
    *,
    now: Callable[[], float],
    threads: int = 1,
) -> int:
    """Score what the watching model has not scored yet; return how many episodes that were.

    A run that is killed keeps what it committed, a hundred episodes at a time.

    Raises
    ------
    WarehouseError
        Where the tables changed meanwhile.
    """
    with held_alone(warehouse.layout.shadow(host).with_suffix(".lock")):
        due = _due(warehouse, host, watcher)
        if not due:
            return 0
        registry = ModelRegistry(warehouse.layout.models)
        bundle = open_bundle(registry.find(watcher.fitted.bundle), compute=Compute(threads=threads))
        for first in range(0, len(due), EPISODES_AT_ONCE):
            some = due[first : first + EPISODES_AT_ONCE]
            rows = _rows(warehouse, host, watcher, bundle, some, now())
            ids = [one.episode_id for one in some]
            warehouse.tables.replace_episodes(Table.SHADOW_SCORES, ids, rows)
    return len(due)


def arrivals(warehouse: Warehouse, host: str, watcher: Watcher) -> tuple[Arrival, ...]:
    """Return the host's arrivals, in the order of their ids."""
    training = watcher.training_set
    fitted_on = (*training.train, *training.id_val)
    ids = {one.episode_id for one in fitted_on}
    contents = {one.sha256 for one in fitted_on}
    rows = warehouse.tables.read(
        Table.EPISODES,
        columns=_EPISODE,
        where=(pc.field("host_id") == host) & pc.field("status").isin(training.statuses),
    ).sort_by("episode_id")
    return tuple(
        Arrival(**{name: row[name] for name in _EPISODE if name != "status"})
        for row in rows.to_pylist()
        if row["episode_id"] not in ids and row["sha256"] not in contents
    )


def _due(warehouse: Warehouse, host: str, watcher: Watcher) -> list[Arrival]:
    scored = warehouse.tables.read(
        Table.SHADOW_SCORES,
        columns=["episode_id", "sha256"],
        where=(pc.field("host_id") == host) & (pc.field("bundle") == watcher.fitted.bundle),
    )
    pairs = zip(scored["episode_id"].to_pylist(), scored["sha256"].to_pylist(), strict=True)
    done = set(pairs)
    return [
        one
        for one in arrivals(warehouse, host, watcher)
        if (one.episode_id, one.sha256) not in done
    ]


def _rows(
    warehouse: Warehouse,
    host: str,
    watcher: Watcher,
    bundle: Bundle,
    some: Sequence[Arrival],
    scored_at_s: float,
) -> pa.Table:
    members = [one.member for one in some]
    table = predicted_rows(warehouse, watcher.fitted, bundle, ARRIVED, members)
    found = predictions_of(table, key=watcher.key, role=ARRIVED)
    rule = bundle.header.alarm
    courses = courses_of(load_basis(warehouse, members, rule), found)
    counted = dict(
        zip(
            (episode.episode_id for episode in found.episodes),
            _counts(found, courses, trace_alarm(found, courses, rule), rule),
            strict=True,
        )
    )
    nothing: dict[str, object] = {"n_windows": 0}  # too short for a window: scored all the same
    same = {"host_id": host, "bundle": watcher.fitted.bundle, "scored_at_s": scored_at_s}
    rows = [
        same
        | {name: getattr(one, name) for name in _EPISODE if name != "status"}
        | counted.get(one.episode_id, nothing)
        for one in some
    ]
    return pa.Table.from_pylist(rows, schema=TABLE_SCHEMAS[Table.SHADOW_SCORES])


def _counts(
    found: Predictions, courses: Sequence[EpisodeCourse], trace: AlarmTrace, rule: AlarmRule
) -> list[dict[str, object]]:
    """Return the figures of each episode; those of an alarm are absent where there is none."""
    clean_N = trace.before_N & (found.y_true_N == CLEAN)
    columns: dict[str, Sequence[object]] = {
        "n_windows": _whole(per_episode(found, np.ones_like(clean_N))),
        "n_right": _whole(per_episode(found, found.predicted() == found.y_true_N)),
        "onset_s": [course.onset_s for course in courses],
    }
    if rule.threshold is not None:
        columns |= {
            "watched_s": (STRIDE_S * per_episode(found, trace.could_N)).tolist(),
            "n_alarms": _whole(per_episode(found, trace.raised_N)),
            "clean_s": (STRIDE_S * per_episode(found, clean_N & trace.could_N)).tolist(),
            "n_false_alarms": _whole(per_episode(found, clean_N & trace.raised_N)),
            "first_alarm_s": _first(found, trace, trace.raised_N),
            "detected_s": _first(found, trace, trace.detects_N),
        }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _whole(counted_E: NDArray[np.float64]) -> list[int]:
    return counted_E.astype(np.int64).tolist()


def _first(found: Predictions, trace: AlarmTrace, kind_N: NDArray[np.bool_]) -> list[float | None]:
    """Return the first verdict of a kind in each episode; None where it has none."""
    first_E = np.full(len(found.episodes), np.inf)
    np.minimum.at(first_E, found.cluster_N[kind_N], trace.verdict_s_N[kind_N])
    return [float(value) if np.isfinite(value) else None for value in first_E]
