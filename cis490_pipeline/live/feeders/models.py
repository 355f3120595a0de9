"""The warehouse's evaluation records, as events: every model of every split, and who is missing.

A model whose configuration was never fitted on a split, or that is not scored yet, is there without
figures and says why. What was told is told again only where it changed, or where it is no longer
true.

Not here: any figure (``evaluation``).
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from anyio.to_thread import run_sync

from cis490_pipeline.datasets.test_sets import path_of_test_set
from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import family_role
from cis490_pipeline.evaluation.records import EvaluationRecord, current_records
from cis490_pipeline.evaluation.scores import ModelEvaluation, SliceScore
from cis490_pipeline.live.event_parts import (
    Figure,
    ModelName,
    ProfileResult,
)
from cis490_pipeline.live.events import (
    ModelMetric,
    Profile,
    state_key_of,
)
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.live.memory import StateKey
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.current import FittedModel, fitted_models
from cis490_pipeline.warehouse.layout import Layout

NOT_FITTED = "no model of this family was fitted on this split"
NOT_SCORED = "fitted, and not scored on the current test set"
GONE = "no longer a current model of this split"
_log = logging.getLogger(__name__)

_Told = dict[StateKey, ModelMetric | Profile]
_Stamp = tuple[tuple[str, int, int], ...]


class ModelFeeder:
    """Tells what changed in the records."""

    def __init__(self, layout: Layout, hub: Hub) -> None:
        self._layout = layout
        self._hub = hub
        self._told: _Told = {}
        self._stamp: _Stamp | None = None

    async def step(self) -> str | None:
        """Read all records where a file changed, publish what is new and what is no longer so."""
        stamp = await run_sync(_stamp_of, self._layout, abandon_on_cancel=True)
        if stamp != self._stamp:
            await self._tell()
            self._stamp = stamp
        return None if stamp else str(_directory(self._layout))

    async def _tell(self) -> None:
        splits = await run_sync(splits_of, self._layout, abandon_on_cancel=True)
        now: _Told = {}
        for split in splits:
            found = await run_sync(_safely_read, self._layout, split, abandon_on_cancel=True)
            now |= {(state_key_of(one) or ()): one for one in found}
        for key, event in now.items():
            if self._told.get(key) != event:
                self._hub.publish(event)
        for key, event in self._told.items():
            if key not in now and isinstance(event, ModelMetric):
                self._hub.publish(_without_figures(event.model, event.role, None, GONE))
        self._told = now


def _directory(layout: Layout) -> Path:
    return layout.split("any").parent


def _stamp_of(layout: Layout) -> _Stamp:
    """Return what changes when any file of any split does; empty where there is none."""
    found: list[tuple[str, int, int]] = []
    for path in sorted(_directory(layout).glob("**/*.json")):
        with suppress(FileNotFoundError):  # replaced or deleted since its directory was read
            facts = path.stat()
            found.append((str(path), facts.st_mtime_ns, facts.st_size))
    return tuple(found)


class _Named(msgspec.Struct, frozen=True):
    split: str


def splits_of(layout: Layout) -> list[str]:
    """Return the splits that have a training set, by what their files say."""
    paths = sorted(_directory(layout).glob("*/training_set.json"))
    return [name for path in paths if (name := _split_in(path)) is not None]


def _split_in(path: Path) -> str | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Named).split
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError):
        return None  # it is being replaced, or its asset says what is wrong with it


def _safely_read(layout: Layout, split: str) -> list[ModelMetric | Profile]:
    """Read a split; one that is damaged or half there does not hide the others."""
    try:
        return read_split(layout, split)
    except WarehouseError as error:
        _log.warning("split %s is not shown: %s", split, error)
        return []


def read_split(layout: Layout, split: str) -> list[ModelMetric | Profile]:
    """Return the events of a split's models.

    Raises
    ------
    WarehouseError
        Where a file is damaged.
    """
    training = load_training_set(layout, split).content_hash
    fitted = fitted_models(layout, split, training)
    is_tested = path_of_test_set(layout, split).exists()
    records = current_records(layout, split) if is_tested else ()
    scored = {record.fitted.file_stem for record in records}
    events: list[ModelMetric | Profile] = []
    for record in records:
        events += _scored(record)
    events += (_unscored(one) for one in fitted if one.file_stem not in scored)
    events += _unfitted(split, fitted)
    return events


def _scored(record: EvaluationRecord) -> list[ModelMetric | Profile]:
    found, name = record.evaluation, _name_of(record.fitted)
    if found is None:
        return [_unscored(record.fitted)]
    metric = ModelMetric(
        model=name,
        role=family_role(name.family).value,
        bundle=record.fitted.bundle,
        figures=tuple(_figures(record.fitted, found)),
        reason=found.reason,
        condition=found.macro_f1.condition,
        n_hosts=found.n_hosts,
        n_samples=found.n_samples,
        n_episodes=found.n_episodes,
        n_windows=found.n_windows,
    )
    profiles = tuple(_profile(one) for one in found.profiles)
    return [metric, Profile(model=name, bundle=record.fitted.bundle, profiles=profiles)]


def _unscored(fitted: FittedModel) -> ModelMetric:
    role = family_role(fitted.family).value
    return _without_figures(_name_of(fitted), role, fitted.bundle, NOT_SCORED)


def _unfitted(split: str, fitted: Sequence[FittedModel]) -> Iterator[ModelMetric]:
    there = {(one.family, one.mode) for one in fitted}
    for spec in FAMILIES:
        for mode in spec.modes:
            if (spec.name, mode.value) not in there:
                name = ModelName(
                    split=split,
                    family=spec.name,
                    mode=mode.value,
                    context=spec.contexts[0].value,
                    seed=None,
                )
                yield _without_figures(name, family_role(spec.name).value, None, NOT_FITTED)


def _without_figures(model: ModelName, role: str, bundle: str | None, reason: str) -> ModelMetric:
    return ModelMetric(
        model=model,
        role=role,
        bundle=bundle,
        figures=(),
        reason=reason,
        condition=None,
        n_hosts=0,
        n_samples=0,
        n_episodes=0,
        n_windows=0,
    )


def _name_of(fitted: FittedModel) -> ModelName:
    return ModelName(
        split=fitted.split,
        family=fitted.family,
        mode=fitted.mode,
        context=fitted.context,
        seed=fitted.seed,
    )


def _figures(fitted: FittedModel, found: ModelEvaluation) -> Iterator[Figure]:
    yield Figure(
        name="id_val_macro_f1",
        value=fitted.id_val_macro_f1,
        low=None,
        high=None,
        reason=None if fitted.id_val_macro_f1 is not None else "id_val has no labelled window",
    )
    calibration, detection = found.measures.calibration, found.measures.detection
    yield figure_of("macro_f1", found.macro_f1)
    yield figure_of("accuracy", calibration.accuracy)
    yield figure_of("brier", calibration.brier)
    yield figure_of("log_loss", calibration.log_loss)
    yield figure_of("ece", calibration.ece)
    yield figure_of("average_precision", found.measures.ranking.average_precision)
    if detection.found is not None:
        yield figure_of("detected_share", detection.found.rate)
        yield figure_of("mean_detection_s", detection.found.mean_s)
        yield figure_of("median_detection_s", detection.found.median_s)
    if detection.false_alarms is not None:
        yield figure_of("false_alarms_per_host_hour", detection.false_alarms.per_host_hour)
    for one in found.classes:
        yield figure_of(f"f1_{one.phase}", one.f1)


def figure_of(name: str, found: Interval) -> Figure:
    """Return a number with its interval as it is told."""
    return Figure(name=name, value=found.point, low=found.low, high=found.high, reason=found.reason)


def _profile(one: SliceScore) -> ProfileResult:
    absent = Figure(name="macro_f1", value=None, low=None, high=None, reason=one.reason)
    return ProfileResult(
        profile=one.name,
        coverage=one.coverage.value,
        macro_f1=absent if one.macro_f1 is None else figure_of("macro_f1", one.macro_f1),
        n_episodes=one.n_episodes,
        n_windows=one.n_windows,
    )
