"""Made-up predictions for the tests of evaluation and reporting; no figure here is a result."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cis490_pipeline.edge.alarm import AlarmPolicy, AlarmRule
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.courses import Basis, EpisodeCourse
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation, TestScope, score_model
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.phases import N_PHASES
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS, TABLE_SCHEMAS, Table

SPLIT = "host=lab-b"
PROFILES = ("cpu-saturate", "io-walk", "bursty-c2", "low-slow")
FAST = BootstrapConfig(n_resamples=200, seed=7)


def key_of(family: str, mode: Mode = Mode.REALISTIC, *, seed: int = 0) -> ModelKey:
    baseline = family in {"majority", "elapsed_time"}
    return ModelKey(family=family, mode=Mode.ANY if baseline else mode, context="none", seed=seed)


def scope_of(**changes: object) -> TestScope:
    values: dict[str, object] = {
        "split": SPLIT,
        "claim": "a device that no model has seen",
        "untested_profiles": ("scan-and-dial",),
        "unseen_profiles": (),
        "warnings": (),
        "train_hosts": ("lab-a",),
        "test_hosts": ("lab-b",),
    }
    return TestScope(**{**values, **changes})


def truth_of(n_windows: int) -> np.ndarray:
    """Phases in their order, each for a share of the episode."""
    return np.minimum(np.arange(n_windows) * N_PHASES // n_windows, N_PHASES - 1)


def proba_of(truth: np.ndarray, skill: float, rng: np.random.Generator) -> np.ndarray:
    """Probabilities whose argmax is right with about probability ``skill`` in this episode."""
    own = np.clip(skill + rng.normal(0, 0.15), 0.02, 0.98)
    guess = np.where(rng.random(truth.size) < own, truth, rng.integers(0, N_PHASES, truth.size))
    proba = rng.dirichlet(np.ones(N_PHASES), truth.size) * 0.5
    proba[np.arange(truth.size), guess] += 0.5
    return proba


def rows(
    key: ModelKey,
    *,
    skill: float,
    role: str = "test",
    n_episodes: int = 24,
    n_windows: int = 20,
    hosts: Sequence[str] = ("lab-b",),
    profiles: Sequence[str] = PROFILES,
    seed: int = 0,
) -> pa.Table:
    """Prediction rows of one model on made-up episodes."""
    rng = np.random.default_rng([seed, sum(map(ord, f"{key.label}{key.seed}{role}"))])
    columns: dict[str, list[object]] = {name: [] for name in TABLE_SCHEMAS[Table.PREDICTIONS].names}
    for episode in range(n_episodes):
        truth = truth_of(n_windows)
        proba = proba_of(truth, skill, rng)
        fixed = {
            "split": SPLIT,
            "family": key.family,
            "mode": str(key.mode),
            "context": key.context,
            "seed": key.seed,
            "bundle": f"{key.label}-{key.seed}",
            "role": role,
            "episode_id": f"{role}-{episode:05d}",
            "host_id": hosts[episode % len(hosts)],
            "profile": profiles[episode % len(profiles)],
            "sample_name": f"sample-{episode % 5}",
        }
        for name, value in fixed.items():
            columns[name].extend([value] * n_windows)
        columns["window"].extend(range(n_windows))
        columns["t_center_s"].extend(5.0 + 5.0 * np.arange(n_windows))
        columns["phase"].extend(truth.tolist())
        for code, name in enumerate(PROBABILITY_COLUMNS):
            columns[name].extend(proba[:, code].tolist())
    return pa.table(columns, schema=TABLE_SCHEMAS[Table.PREDICTIONS])


def split_table(skills: dict[ModelKey, tuple[float, float]], **options: object) -> pa.Table:
    """Rows of several models: key -> (skill on id_val, skill on test)."""
    parts = []
    for key, (id_val, test) in skills.items():
        parts.append(rows(key, skill=id_val, role="id_val", **{**options, "hosts": ("lab-a",)}))
        parts.append(rows(key, skill=test, role="test", **options))
    return pa.concat_tables(parts)


def evaluations_of(
    table: pa.Table, keys: Sequence[ModelKey], *, scope: TestScope | None = None
) -> list[ModelEvaluation]:
    import pyarrow.compute as pc

    return [
        score_model(
            table.filter(
                (pc.field("bundle") == f"{key.label}-{key.seed}") & (pc.field("role") == "test")
            ),
            key=key,
            scope=scope or scope_of(),
            config=FAST,
        )
        for key in keys
    ]


def basis_of(table: pa.Table, *, threshold: float | None = 0.5) -> Basis:
    """Courses of the made-up episodes: the onset lies in the first infected window."""
    ids = table["episode_id"].to_pylist()
    windows = table["window"].to_pylist()
    phases = table["phase"].to_pylist()
    n_windows = max(windows) + 1
    first = min(w for w, phase in zip(windows, phases, strict=True) if phase >= 2)
    course = EpisodeCourse(control=False, onset_s=5.0 * first + 4.0, end_s=5.0 * n_windows + 5.0)
    purity = pa.array(np.where(np.isin(windows, [first - 1, first]), 0.6, 1.0), pa.float32())
    return Basis(
        alarm=AlarmRule(
            policy=AlarmPolicy(),
            threshold=threshold,
            reason="" if threshold is not None else "id_val is empty",
            n_episodes=20,
            n_false=1,
            clean_s=600.0,
        ),
        courses=dict.fromkeys(ids, course),
        purity=pa.table({"episode_id": ids, "window": windows, "label_purity": purity}),
    )
