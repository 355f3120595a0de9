"""What makes ``gbt`` travel to another host: measured within each host, reported across them.

``python -m cis490_pipeline_tests.drills.generalization DATA [realistic|oracle]`` reads a data
directory into which a corpus with at least two hosts was ingested, and prints one row for each
setting. Settings are to be *chosen* by the two columns that look at one host alone:

within   out-of-fold macro F1 over the episodes of a host, 3 folds
moved    the same models on the same held-out episodes, as another host might have recorded them

and ``across`` (fitted on all of a host, scored on another) is only to be reported: whoever chooses
by it has no unseen host left. Rounds are fixed, so that no setting is favoured by its id_val.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import members_of
from cis490_pipeline.datasets.other_hosts import on_another_host
from cis490_pipeline.edge.phase_filter import PhaseFilter
from cis490_pipeline.metrics.confusion import confusion
from cis490_pipeline.metrics.f1 import macro_f1
from cis490_pipeline.models.class_weights import inverse_frequency_weights
from cis490_pipeline.models.filtering import filtered
from cis490_pipeline.models.grammar import grammar_of
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.warehouse.warehouse import Warehouse

ROUNDS: Final = 120
FOLDS: Final = 3
_PARAMETERS: Final = {
    "objective": "multi:softprob",
    "tree_method": "hist",
    "max_depth": 4,
    "eta": 0.08,
    "max_bin": 64,
    "subsample": 0.8,
    "colsample_bytree": 0.2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row: context, blocks of columns that are left out, copies, seeds, and the filter.

    ``blocks`` counts from 0 (the window's own statistics) as in ``features.past``; None keeps all.
    """

    name: str
    context: Context = Context.RECENT
    blocks: tuple[int, ...] | None = None
    copies: int = 1
    seeds: int = 1
    exponents: tuple[float, float] | None = (2.0, 0.5)


SETTINGS: Final = (
    Setting(name="recent"),
    Setting(name="commissioned", context=Context.COMMISSIONED),
    Setting(name="transductive", context=Context.TRANSDUCTIVE),
    Setting(name="without the filter", exponents=None),
    Setting(name="plain forward filter", exponents=(1.0, 1.0)),
    Setting(name="without copies", copies=0),
    Setting(name="two copies", copies=2),
    Setting(name="without own levels", blocks=(1, 2, 3, 4, 5, 6)),
    Setting(name="without the range", blocks=(0, 1, 2, 3, 4)),
    Setting(name="without the last window and the short mean", blocks=(0, 2, 4, 5, 6)),
    Setting(name="five seeds together", seeds=5),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Host:
    """All windows of a host, and the same as another host might have recorded them."""

    cases: Cases
    moved: Cases


def load_host(warehouse: Warehouse, host: str, mode: Mode, context: Context) -> Host:
    """Return a host's windows in a context."""
    members = members_of(fact for fact in episode_facts(warehouse) if fact.host_id == host)
    loaded = load_cases(warehouse, members, mode, summary=True, sequences=False, context=context)
    return Host(cases=loaded.cases, moved=_moved(loaded.cases, seed=99))


def score(host: Host, other: Host, setting: Setting) -> tuple[float, float, float]:
    """Return (within, moved, across) of one setting, in one direction."""
    cases = host.cases
    inside_NK = np.zeros((cases.n_cases, cases.n_classes))
    moved_NK = inside_NK.copy()
    for train_N, test_N in _folds(cases):
        models = _fit(cases, np.flatnonzero(train_N), setting)
        inside_NK[test_N] = _predict(models, cases, setting)[test_N]
        moved_NK[test_N] = _predict(models, host.moved, setting)[test_N]
    across_NK = _predict(_fit(cases, np.arange(cases.n_cases), setting), other.cases, setting)
    pairs = ((inside_NK, cases), (moved_NK, host.moved), (across_NK, other.cases))
    within, moved, across = (_scored(p_NK, of, cases, setting) for p_NK, of in pairs)
    return within, moved, across


def _moved(cases: Cases, seed: int) -> Cases:
    if cases.in_context is None:
        return cases
    return replace(cases, in_context=on_another_host(cases.in_context, seed))


def _folds(cases: Cases) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    episodes = np.unique(cases.cluster_N)
    np.random.default_rng(0).shuffle(episodes)
    for fold in range(FOLDS):
        test_N = np.isin(cases.cluster_N, episodes[fold::FOLDS])
        yield ~test_N, test_N


def _columns(cases: Cases, setting: Setting) -> NDArray[np.float32]:
    if cases.in_context is None:
        assert cases.summary_NF is not None
        return cases.summary_NF
    x_NG = cases.in_context.matrix()
    if setting.blocks is None:
        return x_NG
    width = cases.in_context.z_MF.shape[1]
    return np.concatenate([x_NG[:, b * width : (b + 1) * width] for b in setting.blocks], axis=1)


def _fit(cases: Cases, index_B: NDArray[np.int64], setting: Setting) -> list[xgboost.Booster]:
    y_B = cases.y_N[index_B]
    weight_K = inverse_frequency_weights(y_B, cases.n_classes)
    slices = [cases, *(_moved(cases, seed) for seed in range(setting.copies))]
    matrix = xgboost.QuantileDMatrix(
        np.concatenate([_columns(one, setting)[index_B] for one in slices]),
        label=np.tile(y_B, len(slices)),
        weight=np.tile(weight_K[y_B], len(slices)),
        max_bin=64,
    )
    chosen = {**_PARAMETERS, "num_class": cases.n_classes, "nthread": 1}
    return [xgboost.train({**chosen, "seed": s}, matrix, ROUNDS) for s in range(setting.seeds)]


def _predict(models: list[xgboost.Booster], cases: Cases, setting: Setting) -> NDArray[np.float64]:
    x_NG = _columns(cases, setting)
    p_SNK = np.stack([np.asarray(model.inplace_predict(x_NG)) for model in models])
    return np.asarray(p_SNK.mean(axis=0, dtype=np.float64))


def _scored(p_NK: NDArray[np.float64], cases: Cases, train: Cases, setting: Setting) -> float:
    if setting.exponents is not None:
        grammar, even = grammar_of(train, 1.0), (1 / cases.n_classes,) * cases.n_classes
        phase_filter = PhaseFilter(
            transitions=tuple(tuple(row) for row in grammar.transitions_KK.tolist()),
            initial=tuple(grammar.initial_K.tolist()),
            prior=even,
            sharpness=setting.exponents[0],
            inertia=setting.exponents[1],
        )
        p_NK = filtered(phase_filter, p_NK, cases)
    counts_KK = confusion(cases.y_N, p_NK.argmax(axis=1), cases.n_classes)
    return macro_f1(counts_KK) or 0.0


def main(arguments: list[str]) -> None:
    """Print the table."""
    warehouse = Warehouse(Path(arguments[0]))
    mode = Mode(arguments[1]) if len(arguments) > 1 else Mode.REALISTIC
    hosts = sorted({fact.host_id for fact in episode_facts(warehouse)})[:2]
    print(f"{mode.value:34s} " + "".join(f"{h:>8s}: within moved across" for h in hosts))
    for setting in SETTINGS:
        loaded = [load_host(warehouse, host, mode, setting.context) for host in hosts]
        rows = [score(loaded[0], loaded[1], setting), score(loaded[1], loaded[0], setting)]
        text = "".join(" " * 10 + " ".join(f"{value:6.3f}" for value in row) for row in rows)
        print(f"{setting.name:34s} {text}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
