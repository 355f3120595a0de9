"""How the test set differs from the training set, before any model is asked.

Two measurements on channels alone, no label and no prediction: how far each test episode lies from
the training episodes (``difficulty``), and how well hosts can be told apart (``host_probe``). They
read the test set, so they are entered in the ledger.

Not here: scores by difficulty (``difficulty``), drift of single channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.test_sets import TestSet, load_test_set
from cis490_pipeline.datasets.training_sets import TrainingSet, load_training_set
from cis490_pipeline.datasets.window_rows import is_one_of, require_windows_of
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.difficulty import (
    EpisodeDifficulty,
    ModelByDifficulty,
    difficulties,
    scores_by_difficulty,
)
from cis490_pipeline.evaluation.host_probe import HostProbe, probe_hosts
from cis490_pipeline.evaluation.on_split import ScoringContext
from cis490_pipeline.evaluation.opening import enter_reading, require_disjoint
from cis490_pipeline.evaluation.predictions import TEST, predictions_of, rows_of
from cis490_pipeline.evaluation.scores import ModelEvaluation
from cis490_pipeline.schema.channels import CHANNELS, Mode, visible_channels
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import STATS
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.warehouse import Warehouse

VERSION: Final = 1
MODES: Final = (Mode.REALISTIC, Mode.ORACLE)
_MOST_PROBED: Final = 200
"""Episodes of a host whose windows the probe reads, evenly chosen by id."""
_WHO: Final = ("episode_id", "host_id", "profile", "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeShift:
    """What one mode's channels say.

    Attributes
    ----------
    unit
        Median distance of a training episode to the nearest other one, in spreads of a statistic;
        it counts as difficulty 1.
    episodes
        The test episodes by id.
    training_hosts, all_hosts
        Telling apart the hosts of the training set, and those of both sets.
    """

    mode: Mode
    unit: float
    n_train: int
    episodes: tuple[EpisodeDifficulty, ...]
    training_hosts: HostProbe
    all_hosts: HostProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """The measurements of a split on two sets."""

    version: int = VERSION
    split: str
    training_set_hash: str
    test_set_hash: str
    modes: tuple[ModeShift, ...]

    def of(self, mode: Mode) -> ModeShift:
        """Return a mode's measurements; of ``any``, which sees no channel, the realistic ones."""
        return next((one for one in self.modes if one.mode == mode), self.modes[0])


def measure_shift(warehouse: Warehouse, split: str, scoring: ScoringContext) -> Shift:
    """Measure a split's current sets and write the result, unless it stands already.

    Raises
    ------
    WarehouseError
        Where a set file is absent, or the tables no longer hold what it names.
    LeakageError
        Where the sets overlap.
    """
    layout = warehouse.layout
    training_set, test_set = load_training_set(layout, split), load_test_set(layout, split)
    require_disjoint(warehouse, training_set, test_set)
    standing = current_shift(layout, training_set, test_set)
    if standing is not None:
        return standing
    if test_set.test:
        enter_reading(
            warehouse,
            split,
            why=f"{scoring.why}: channels of training and test set compared",
            code_commit=scoring.code_commit,
            when=scoring.now(),
        )
    shift = Shift(
        split=split,
        training_set_hash=training_set.content_hash,
        test_set_hash=test_set.content_hash,
        modes=tuple(
            _measured(warehouse, training_set, test_set, mode, scoring.bootstrap) for mode in MODES
        ),
    )
    write_bytes(_path(layout, split), msgspec.json.format(msgspec.json.encode(shift), indent=1))
    return shift


def standing_shift(layout: Layout, split: str) -> Shift | None:
    """Return the measurements of a split's current sets; None where there are none."""
    return current_shift(layout, load_training_set(layout, split), load_test_set(layout, split))


def by_difficulty(
    shift: Shift | None,
    evaluations: Sequence[ModelEvaluation],
    predictions: pa.Table,
    config: BootstrapConfig,
) -> tuple[ModelByDifficulty, ...]:
    """Return each model's scores by difficulty in its mode; empty where nothing was measured.

    Parameters
    ----------
    predictions
        Rows of the split.
    """
    if shift is None:
        return ()
    scores: list[ModelByDifficulty] = []
    for one in evaluations:
        rows = rows_of(predictions, key=one.key, bundle=one.bundle, role=TEST)
        found = predictions_of(rows, key=one.key, role=TEST)
        episodes = shift.of(one.key.mode).episodes
        scores.append(scores_by_difficulty(one.key, found, episodes, config))
    return tuple(scores)


def current_shift(layout: Layout, training_set: TrainingSet, test_set: TestSet) -> Shift | None:
    """Return the measurements of these two sets; None where there are none that can be read."""
    try:
        found = msgspec.json.decode(_path(layout, test_set.split).read_bytes(), type=Shift)
    except (FileNotFoundError, UnicodeDecodeError, msgspec.MsgspecError):
        return None
    hashes = (found.training_set_hash, found.test_set_hash)
    current = hashes == (training_set.content_hash, test_set.content_hash)
    return found if current and found.version == VERSION else None


def _path(layout: Layout, split: str) -> Path:
    return layout.split(split) / "shift.json"


def _measured(
    warehouse: Warehouse,
    training_set: TrainingSet,
    test_set: TestSet,
    mode: Mode,
    config: BootstrapConfig,
) -> ModeShift:
    train, test = training_set.train, test_set.test
    _, train_MF = _statistics(warehouse, train, mode)
    who, test_EF = _statistics(warehouse, test, mode)
    difficulty_E, unit = difficulties(train_MF, test_EF)
    return ModeShift(
        mode=mode,
        unit=unit,
        n_train=len(train_MF),
        episodes=tuple(
            EpisodeDifficulty(
                episode_id=one["episode_id"],
                host_id=one["host_id"],
                profile=one["profile"] or "",
                difficulty=float(value) if np.isfinite(value) else None,
            )
            for one, value in zip(who, difficulty_E, strict=True)
        ),
        training_hosts=_probe(warehouse, train, mode, config),
        all_hosts=_probe(warehouse, (*train, *test), mode, config),
    )


def _statistics(
    warehouse: Warehouse, members: Sequence[Member], mode: Mode
) -> tuple[list[dict[str, str]], NDArray[np.float32]]:
    """Return who the episodes are, by id, and their statistics ``[E, F]``."""
    columns = [
        f"{CHANNELS[c].column}_{stat.value}" for c in visible_channels(mode) for stat in STATS
    ]
    rows = warehouse.tables.read(
        Table.EPISODE_FEATURES, columns=[*_WHO, *columns], where=is_one_of(members)
    ).sort_by("episode_id")
    require_windows_of(rows, members)
    x_EF = np.empty((rows.num_rows, len(columns)), dtype=np.float32)
    for at, name in enumerate(columns):
        x_EF[:, at] = rows[name].to_numpy()
    return rows.select(list(_WHO)).to_pylist(), x_EF


def _probe(
    warehouse: Warehouse, members: Sequence[Member], mode: Mode, config: BootstrapConfig
) -> HostProbe:
    chosen = _some_of_each_host(warehouse, members)
    loaded = load_cases(warehouse, chosen, mode, summary=True, sequences=False)
    host_N = np.asarray(loaded.keys["host_id"].to_pylist(), dtype=np.str_)
    return probe_hosts(loaded.cases, host_N, config)


def _some_of_each_host(warehouse: Warehouse, members: Sequence[Member]) -> list[Member]:
    rows = warehouse.tables.read(
        Table.EPISODES, columns=["episode_id", "host_id"], where=is_one_of(members)
    )
    kept: set[str] = set()
    for host in pc.call_function("unique", [rows["host_id"]]).to_pylist():
        ids = sorted(rows.filter(pc.field("host_id") == host)["episode_id"].to_pylist())
        even = np.linspace(0, len(ids) - 1, min(len(ids), _MOST_PROBED))
        kept.update(ids[int(at)] for at in even)
    return [member for member in members if member.episode_id in kept]
