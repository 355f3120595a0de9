"""Rows of the ``predictions`` table as arrays, checked, in one fixed order.

Shape suffixes: N windows, K classes, E episodes.

Not here: any score (``scores``), reading the table (``warehouse``).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.interval import SampleSize, condition_on
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.phases import N_PHASES
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS

ID_VAL: Final = "id_val"
TEST: Final = "test"
_ROUNDING: Final = 1e-3
"""Models add up in single precision; a score that is no probability is off by far more."""
_ONE_MODEL: Final = ("split", "family", "mode", "context", "seed", "bundle", "role")


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedEpisode:
    """One episode of a scored set; ``sample_name`` and ``profile`` are empty where unknown."""

    episode_id: str
    host_id: str
    profile: str
    sample_name: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """What one bundle said about the windows of one role.

    Windows are in the order of (episode id, window); ``cluster_N`` indexes ``episodes``, which are
    sorted by id. Windows whose label is no class are counted in ``n_unlabelled`` and left out.
    """

    bundle: str
    episodes: tuple[PredictedEpisode, ...]
    cluster_N: NDArray[np.int64]
    window_N: NDArray[np.int64]
    y_true_N: NDArray[np.int64]
    proba_NK: NDArray[np.float64]
    n_unlabelled: int

    def predicted(self) -> NDArray[np.int64]:
        """Return the predicted class ``[N]``: the most probable, ties to the lowest."""
        return self.proba_NK.argmax(axis=1).astype(np.int64)

    def confusions(self) -> NDArray[np.int64]:
        """Count one confusion matrix per episode, ``[E, K, K]``."""
        return cluster_confusions(
            self.y_true_N, self.predicted(), self.cluster_N, len(self.episodes), N_PHASES
        )

    def host_codes(self) -> NDArray[np.int64]:
        """Return the index of each episode's host among the sorted hosts, ``[E]``."""
        hosts = np.array([episode.host_id for episode in self.episodes], dtype=np.str_)
        return np.unique(hosts, return_inverse=True)[1].astype(np.int64)

    def size(self, kept_E: NDArray[np.bool_] | None = None) -> SampleSize:
        """Count what the set, or the kept episodes of it, rests on."""
        mask_E = np.ones(len(self.episodes), dtype=np.bool_) if kept_E is None else kept_E
        kept = [self.episodes[position] for position in np.flatnonzero(mask_E)]
        hosts = sorted({episode.host_id for episode in kept})
        return SampleSize(
            n_hosts=len(hosts),
            n_samples=len({episode.sample_name for episode in kept if episode.sample_name}),
            n_episodes=len(kept),
            n_windows=int(mask_E[self.cluster_N].sum()),
            condition=condition_on(tuple(hosts)),
        )

    def size_of_windows(self, kept_N: NDArray[np.bool_]) -> SampleSize:
        """Count what some of the windows rest on."""
        kept_E = np.bincount(self.cluster_N[kept_N], minlength=len(self.episodes)) > 0
        return replace(self.size(kept_E), n_windows=int(kept_N.sum()))


def predictions_of(table: pa.Table, *, key: ModelKey, role: str) -> Predictions:
    """Read the rows of one bundle and role.

    Raises
    ------
    EvaluationError
        Where the rows are not of one bundle, this model and this role; where a window occurs twice
        (it would count twice), or probabilities are missing or do not add up to 1.
    """
    bundle = _require_one_model(table, key, role)
    table = table.sort_by([("episode_id", "ascending"), ("window", "ascending")])
    labelled = table.filter(pc.field("phase") >= 0)
    first_E, cluster_N = _clusters(labelled)
    window_N = _integers(labelled, "window")
    repeated_N = (np.diff(cluster_N) == 0) & (np.diff(window_N) == 0)
    if repeated_N.any():
        raise _unsound("a window is predicted twice", key, "one row per episode and window")
    return Predictions(
        bundle=bundle,
        episodes=_episodes(labelled, first_E),
        cluster_N=cluster_N,
        window_N=window_N,
        y_true_N=_integers(labelled, "phase"),
        proba_NK=_probabilities(labelled, key),
        n_unlabelled=table.num_rows - labelled.num_rows,
    )


def rows_of(table: pa.Table, *, key: ModelKey, bundle: str, role: str) -> pa.Table:
    """Select the rows of one model's bundle and role; empty where there are none."""
    wanted: dict[str, str | int] = {
        "family": key.family,
        "mode": str(key.mode),
        "context": key.context,
        "seed": key.seed,
        "bundle": bundle,
        "role": role,
    }
    for name, value in wanted.items():
        table = table.filter(pc.field(name) == value)
    return table


def require_paired(first: Predictions, second: Predictions, *, names: tuple[str, str]) -> None:
    """Refuse to pair models that were not scored on the same windows.

    Raises
    ------
    EvaluationError
        Naming how many episodes each scored and the first that only one of them has.
    """
    first_ids = [episode.episode_id for episode in first.episodes]
    second_ids = [episode.episode_id for episode in second.episodes]
    if first_ids != second_ids:
        alone = min(set(first_ids) ^ set(second_ids))
        found = f"{len(first_ids)} and {len(second_ids)} episodes; {alone} has only one of them"
    elif not (
        np.array_equal(first.cluster_N, second.cluster_N)
        and np.array_equal(first.window_N, second.window_N)
        and np.array_equal(first.y_true_N, second.y_true_N)
    ):
        found = "the same episodes, but other windows or other labels"
    else:
        return
    raise EvaluationError(
        "models scored on different windows cannot be paired",
        where=" and ".join(names),
        expected="the same episodes, windows and labels",
        found=found,
        todo="score both models on the current test set again",
    )


def _unsound(what: str, key: ModelKey, expected: str, found: str = "") -> EvaluationError:
    return EvaluationError(
        what,
        where=f"predictions of {key.label}, seed {key.seed}",
        expected=expected,
        found=found,
        todo="score the bundle again",
    )


def _require_one_model(table: pa.Table, key: ModelKey, role: str) -> str:
    """Return the bundle of a table that holds one model and role."""
    if table.num_rows == 0:
        raise _unsound("no predictions", key, f"rows of role {role}", "none")
    found = {name: table.column(name).unique().to_pylist() for name in _ONE_MODEL}
    wanted: dict[str, object] = {
        "family": key.family,
        "mode": str(Mode(key.mode)),
        "context": key.context,
        "seed": key.seed,
        "role": role,
    }
    for name, values in found.items():
        if len(values) != 1 or (name in wanted and values[0] != wanted[name]):
            expected = repr(wanted[name]) if name in wanted else "one value"
            raise _unsound(f"rows of another {name}", key, expected, repr(values[:5]))
    return str(found["bundle"][0])


def _integers(table: pa.Table, name: str) -> NDArray[np.int64]:
    return np.asarray(table.column(name).to_numpy(), dtype=np.int64)


def _clusters(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each episode, and the episode index of each row."""
    identifiers_N = np.asarray(table.column("episode_id").to_pylist(), dtype=np.str_)
    _, first_E, cluster_N = np.unique(identifiers_N, return_index=True, return_inverse=True)
    return first_E.astype(np.int64), cluster_N.astype(np.int64)


def _episodes(table: pa.Table, first_E: NDArray[np.int64]) -> tuple[PredictedEpisode, ...]:
    names = ["episode_id", "host_id", "profile", "sample_name"]
    rows = table.select(names).take(pa.array(first_E)).to_pylist()
    return tuple(PredictedEpisode(**{name: row[name] or "" for name in names}) for row in rows)


def _furthest_from_one(proba_NK: NDArray[np.float64]) -> float:
    return float(np.abs(proba_NK.sum(axis=1) - 1.0).max(initial=0.0))


def _probabilities(table: pa.Table, key: ModelKey) -> NDArray[np.float64]:
    columns = [
        np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in PROBABILITY_COLUMNS
    ]
    proba_NK = np.stack(columns, axis=1)
    if not np.isfinite(proba_NK).all():
        raise _unsound("a probability is missing or infinite", key, "finite probabilities")
    off = max(-float(proba_NK.min(initial=0.0)), _furthest_from_one(proba_NK))
    if off > _ROUNDING:
        raise _unsound("probabilities do not add up to 1", key, "a distribution", f"{off:.3g} off")
    return proba_NK
