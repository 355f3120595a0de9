"""Test sets that nobody would want: every figure is in its range, or null with a reason.

One episode, one class, controls alone, no labels, ties everywhere, no id_val; and the rows of the
table in any order.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from cis490_pipeline.edge.alarm import AlarmPolicy, AlarmRule
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.comparison import compare
from cis490_pipeline.evaluation.courses import Basis, EpisodeCourse
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation, score_model
from cis490_pipeline.schema.phases import N_PHASES
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS, TABLE_SCHEMAS, Table
from cis490_pipeline_tests.evaluation.made_up import SPLIT, key_of, scope_of

N_TRIALS = 24
FEW = BootstrapConfig(n_resamples=40, seed=3)
KEYS = (key_of("elapsed_time"), key_of("gbt"), key_of("cnn"), key_of("cnn", seed=1))
SHARES = {
    *("macro_f1", "accuracy", "f1", "rate", "share", "average_precision", "tpr", "precision"),
    *("coverage", "abstained", "empty", "kept_error", "episodes_abstained"),
    *("error", "macro_risk", "aurc", "ece"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Truth of each episode, and everything that is known of them."""

    rng: np.random.Generator
    truth: list[np.ndarray]
    hosts: int
    id_val: list[np.ndarray]


def world_of(trial: int) -> World:
    rng = np.random.default_rng([7, trial])
    kinds = ([0, 1, 2, 3, 4], [int(rng.integers(5))], [0, 3], [0], [-1])
    classes = kinds[trial % len(kinds)]

    def episodes(n: int) -> list[np.ndarray]:
        return [np.sort(rng.choice(classes, int(rng.integers(1, 12)))) for _ in range(n)]

    truth = episodes(int(rng.choice([1, 2, 5, 12])))
    if rng.random() < 0.3:
        truth[0][:] = -1
    return World(
        rng=rng,
        truth=truth,
        hosts=int(rng.choice([1, 7])),
        id_val=episodes(int(rng.choice([0, 1, 12]))),
    )


def said(rng: np.random.Generator, truth: np.ndarray, style: str) -> np.ndarray:
    known = np.maximum(truth, 0)
    if style == "ties":
        return np.full((truth.size, N_PHASES), 0.2)
    if style == "random":
        return rng.dirichlet(np.ones(N_PHASES), truth.size)
    return np.eye(N_PHASES)[known if style == "right" else (known + 1) % N_PHASES]


def rows_of(world: World, key: ModelKey, role: str) -> pa.Table:
    style = str(world.rng.choice(["ties", "random", "right", "wrong"]))
    columns: dict[str, list[object]] = defaultdict(list)
    for number, truth in enumerate(world.truth if role == "test" else world.id_val):
        same = {
            **{"split": SPLIT, "family": key.family, "mode": str(key.mode), "role": role},
            **{"context": key.context, "seed": key.seed, "bundle": f"{key.label}-{key.seed}"},
            **{"episode_id": f"{role}-{number:03d}", "host_id": f"h{number % world.hosts}"},
            **{"profile": f"p{number % 3}", "sample_name": "s"},
        }
        for name, value in same.items():
            columns[name] += [value] * truth.size
        columns["window"] += range(truth.size)
        columns["t_center_s"] += [5.0 + 5.0 * one for one in range(truth.size)]
        columns["phase"] += truth.tolist()
        for name, values in zip(PROBABILITY_COLUMNS, said(world.rng, truth, style).T, strict=True):
            columns[name] += values.tolist()
    schema = TABLE_SCHEMAS[Table.PREDICTIONS]
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def basis_of(world: World, table: pa.Table) -> Basis:
    courses: dict[str, EpisodeCourse] = {}
    for number, truth in enumerate(world.truth):
        infected, end_s = np.flatnonzero(truth >= 2), 5.0 * truth.size + 2.5
        control = bool(world.rng.random() < 0.3)
        onset_s = 5.0 * infected[0] + 4.0 if infected.size and not control else None
        onset_s = None if onset_s is None or onset_s >= end_s else onset_s
        courses[f"test-{number:03d}"] = EpisodeCourse(control=control, onset_s=onset_s, end_s=end_s)
    purity = pa.array(world.rng.choice([0.5, 0.8, 1.0], table.num_rows), pa.float32())
    return Basis(
        alarm=AlarmRule(
            policy=AlarmPolicy(),
            threshold=float(world.rng.choice([0.0, 0.5, 1.0])),
            **{"reason": "", "n_episodes": 3, "n_false": 0, "clean_s": 1.0},
        ),
        courses=courses,
        purity=table.select(["episode_id", "window"]).append_column("label_purity", purity),
    )


def intervals(value: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every interval of a JSON value with the name of its field; no number is infinite."""
    if isinstance(value, dict):
        if {"point", "low", "high", "level"} <= set(value):
            yield name, value
        for inner_name, inner in value.items():
            yield from intervals(inner, inner_name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from intervals(inner, name)
    else:
        assert not isinstance(value, float) or math.isfinite(value), name


def is_sound(name: str, one: dict[str, Any]) -> None:
    point, low, high = one["point"], one["low"], one["high"]
    assert one["reason"] or None not in (point, low, high), (name, one)
    assert point is None or one["n_episodes"], (name, one)
    if low is not None and high is not None:
        assert low <= high, (name, one)
        assert name == "ece" or low - 1e-9 <= point <= high + 1e-9, (name, one)
    known = [one[end] for end in ("point", "low", "high", "bca_low", "bca_high")]
    if name in SHARES:
        assert all(-1e-9 <= end <= 1 + 1e-9 for end in known if end is not None), (name, one)
    assert (
        one["standard_error"] is not None or one["bca_low"] is not None or not one["disagreement"]
    )


@pytest.mark.parametrize("trial", range(N_TRIALS))
def test_every_figure_is_in_its_range_or_null_with_a_reason_in_any_order_of_rows(
    trial: int,
) -> None:
    world = world_of(trial)
    tables = {key: [rows_of(world, key, role) for role in ("test", "id_val")] for key in KEYS}
    basis = basis_of(world, tables[KEYS[0]][0])
    scope = scope_of(test_hosts=tuple(f"h{one}" for one in range(world.hosts)))

    def scored(key: ModelKey, *, shuffled: bool = False) -> ModelEvaluation:
        orders = [
            world.rng.permutation(one.num_rows) if shuffled else np.arange(one.num_rows)
            for one in tables[key]
        ]
        test, id_val = (one.take(by) for one, by in zip(tables[key], orders, strict=True))
        return score_model(test, key=key, scope=scope, config=FEW, basis=basis, id_val=id_val)

    found = [scored(key) for key in KEYS]
    table = pa.concat_tables([one for pair in tables.values() for one in pair])
    comparison = compare(found, table, config=FEW)
    for name, one in intervals(msgspec.to_builtins((found, comparison))):
        is_sound(name, one)
    order = world.rng.permutation(table.num_rows)
    assert compare(found[::-1], table.take(order), config=FEW) == comparison
    assert scored(KEYS[1], shuffled=True) == found[1]
