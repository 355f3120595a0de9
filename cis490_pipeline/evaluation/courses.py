"""What happened in the episodes of a test set, and how pure their windows' labels are.

Not here: what a model said of them (``predictions``), figures (``detection``, ``purity``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.window_rows import is_one_of, other_content
from cis490_pipeline.edge.alarm import AlarmRule
from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.schema.phases import NOT_A_CLASS, PHASES, Phase, phase_code
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import TICK_S
from cis490_pipeline.warehouse.warehouse import Warehouse

FIRST_INFECTED: Final = PHASES.index(Phase.INFECTING)
"""From this class on, a window is infected."""
_CONTROL: Final = "control"
_COLUMNS: Final = ("episode_id", "sha256", "sample_kind", "n_ticks", "transitions")
_PURITY: Final = ("episode_id", "window", "label_purity")


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeCourse:
    """One episode's times, in seconds since its first label.

    Attributes
    ----------
    control
        Nothing was to be infected here, whatever the labels say.
    onset_s
        The first label of an infected phase (``infecting``, or what follows where it is skipped);
        None for a control, and where none came before ``end_s``.
    end_s
        Until when the episode was watched: its last tick, or the first label that is no phase
        (``failed``).
    """

    control: bool
    onset_s: float | None
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """What figures need beside predictions: the bundle's alarm, courses, purity of the labels.

    ``purity`` has the columns ``episode_id, window, label_purity``.
    """

    alarm: AlarmRule
    courses: Mapping[str, EpisodeCourse]
    purity: pa.Table


def course_of(
    transitions: Sequence[Mapping[str, object]], *, n_ticks: int, sample_kind: str | None
) -> EpisodeCourse:
    """Return the course of an episode with these transitions (``t_s``, ``phase``), in time order.

    >>> steps = [{"t_s": 0.0, "phase": "clean"}, {"t_s": 31.5, "phase": "infecting"}]
    >>> course_of(steps, n_ticks=800, sample_kind="emulated")
    EpisodeCourse(control=False, onset_s=31.5, end_s=80.0)
    """
    steps = [(float(str(step["t_s"])), phase_code(str(step["phase"]))) for step in transitions]
    stops = [t_s for t_s, code in steps if code == NOT_A_CLASS]
    end_s = min([n_ticks * TICK_S, *stops])
    onsets = [t_s for t_s, code in steps if code >= FIRST_INFECTED and t_s < end_s]
    control = sample_kind == _CONTROL
    return EpisodeCourse(
        control=control, onset_s=min(onsets) if onsets and not control else None, end_s=end_s
    )


def load_basis(warehouse: Warehouse, members: Sequence[Member], alarm: AlarmRule) -> Basis:
    """Read courses and purities of a set's members.

    Raises
    ------
    WarehouseError
        Where the tables no longer hold exactly the content that the set names.
    """
    where = is_one_of(members)
    rows = warehouse.tables.read(Table.EPISODES, columns=_COLUMNS, where=where).to_pylist()
    held = {row["episode_id"]: row for row in rows}
    for member in members:
        found = held.get(member.episode_id, {}).get("sha256")
        if found != member.sha256:
            raise other_content(member.episode_id, member.sha256, found)
    return Basis(
        alarm=alarm,
        courses={
            name: course_of(
                row["transitions"], n_ticks=row["n_ticks"], sample_kind=row["sample_kind"]
            )
            for name, row in held.items()
        },
        purity=warehouse.tables.read(Table.WINDOW_FEATURES, columns=_PURITY, where=where),
    )


def courses_of(basis: Basis, found: Predictions) -> tuple[EpisodeCourse, ...]:
    """Return the courses in the order of the predictions' episodes.

    Raises
    ------
    EvaluationError
        Where an episode has none.
    """
    absent = [e.episode_id for e in found.episodes if e.episode_id not in basis.courses]
    if absent:
        raise EvaluationError(
            "an episode was predicted of which nothing else is known",
            where=absent[0],
            expected="its row in the table episodes",
            todo="materialize test_set of this split again, then score",
        )
    return tuple(basis.courses[episode.episode_id] for episode in found.episodes)


def purity_of(basis: Basis, found: Predictions) -> NDArray[np.float64]:
    """Return the label purity of each predicted window, ``[N]``; NaN where it is not known."""
    ids = np.array([episode.episode_id for episode in found.episodes], dtype=np.str_)
    names_M = np.array(basis.purity["episode_id"].to_pylist(), dtype=np.str_)
    known_M = np.isin(names_M, ids)
    places_M = np.searchsorted(ids, names_M[known_M])
    window_M = np.asarray(basis.purity["window"].to_numpy(), dtype=np.int64)[known_M]
    purity_M = np.asarray(basis.purity["label_purity"].to_numpy(), dtype=np.float64)[known_M]
    stride = int(max(window_M.max(initial=0), found.window_N.max(initial=0))) + 1
    table = np.full(len(ids) * stride, np.nan)
    table[places_M * stride + window_M] = purity_M
    return table[found.cluster_N * stride + found.window_N]
