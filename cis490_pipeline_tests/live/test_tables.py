"""What tables and evaluation records say, as events and in the explorer."""

import asyncio
import itertools
import shutil
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from cis490_pipeline.datasets.planning import write_training_set
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.live.event_parts import (
    MixBasis,
)
from cis490_pipeline.live.events import (
    Event,
    ModelMetric,
    Profile,
    Shadow,
)
from cis490_pipeline.live.feeders.models import GONE, NOT_FITTED, NOT_SCORED, ModelFeeder
from cis490_pipeline.live.feeders.phase_mix import PhaseMixFeeder, count_phases, mix_of
from cis490_pipeline.live.feeders.shadow import ShadowFeeder
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.shadow.summary import standing_summaries
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import (
    CHEAP,
    SPLIT,
    copy_of,
    fit,
    score,
    scored_warehouse,
    smoke_warehouse,
)
from cis490_pipeline_tests.shadow.watched import watch, watched_warehouse


class Ear(Hub):
    """A hub that keeps what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Event] = []

    def publish(self, event: Event, producer: str | None = None) -> int:
        self.heard.append(event)
        return super().publish(event, producer)

    def new(self) -> list[Event]:
        heard, self.heard = self.heard, []
        return heard


@pytest.fixture
def scored(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    return copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")


def metrics(events: list[Event]) -> dict[tuple[str, int | None], ModelMetric]:
    found = [one for one in events if isinstance(one, ModelMetric)]
    return {(one.model.family, one.model.seed): one for one in found}


def test_every_model_is_told_with_the_figures_of_its_record(scored: Warehouse) -> None:
    ear = Ear()
    feeder = ModelFeeder(scored.layout, ear)
    assert asyncio.run(feeder.step()) is None
    heard = ear.new()
    records = current_records(scored.layout, SPLIT)
    assert len(records) == len(CHEAP)
    told = metrics(heard)
    for record in records:
        found = record.evaluation
        assert found is not None
        event = told[record.fitted.family, record.fitted.seed]
        figures = {one.name: one for one in event.figures}
        macro = figures["macro_f1"]
        assert (macro.value, macro.low, macro.high) == (
            found.macro_f1.point,
            found.macro_f1.low,
            found.macro_f1.high,
        )
        assert (event.n_episodes, event.n_windows) == (found.n_episodes, found.n_windows)
        assert event.bundle == record.fitted.bundle
        assert "conditional on host lab-b" in (event.condition or "")
    profiles = {one.model.family: one for one in heard if isinstance(one, Profile)}
    assert set(profiles) == {record.fitted.family for record in records}
    untested = [one for one in profiles["gbt"].profiles if one.coverage == "untested"]
    assert [one.profile for one in untested] == ["scan-and-dial"]
    assert untested[0].macro_f1.value is None
    assert untested[0].macro_f1.reason


def test_the_whole_zoo_is_there_and_who_was_not_fitted_is_empty(scored: Warehouse) -> None:
    ear = Ear()
    asyncio.run(ModelFeeder(scored.layout, ear).step())
    told = [one for one in ear.new() if isinstance(one, ModelMetric)]
    pairs = {(one.model.family, one.model.mode) for one in told}
    assert pairs == {(spec.name, mode.value) for spec in FAMILIES for mode in spec.modes}
    empty = [one for one in told if one.model.seed is None]
    assert all(one.figures == () and one.bundle is None for one in empty)
    assert {one.reason for one in empty} == {NOT_FITTED}
    assert ("gbt", "realistic") not in {(one.model.family, one.model.mode) for one in empty}
    assert ("gbt", "oracle") in {(one.model.family, one.model.mode) for one in empty}


def test_only_what_changed_is_told_again_and_what_is_no_longer_so_is_taken_back(
    scored: Warehouse,
) -> None:
    ear = Ear()
    feeder = ModelFeeder(scored.layout, ear)
    asyncio.run(feeder.step())
    ear.new()
    asyncio.run(feeder.step())
    assert ear.new() == []
    _, clock, _ = CHEAP
    shutil.rmtree(scored.layout.split(SPLIT) / "evaluations")
    asyncio.run(feeder.step())
    unscored = metrics(ear.new())
    assert {one.reason for one in unscored.values()} == {NOT_SCORED}
    assert all(one.bundle is not None for one in unscored.values())
    score(scored, SPLIT, clock)
    asyncio.run(feeder.step())
    (again,) = metrics(ear.new()).values()
    assert (again.model.family, again.reason) == ("elapsed_time", None)
    next((scored.layout.split(SPLIT) / "models").glob("majority.*.json")).unlink()
    asyncio.run(feeder.step())
    gone = metrics(ear.new())
    assert gone["majority", 0].reason == GONE
    assert gone["majority", None].reason == NOT_FITTED


def test_a_damaged_record_hides_its_own_split_alone(
    scored: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    write_training_set(scored, "deploy", SplitConfig())
    fit(scored, "deploy", CHEAP[0])
    path = next((scored.layout.split(SPLIT) / "evaluations").glob("*.json"))
    path.write_text("{")
    ear = Ear()
    asyncio.run(ModelFeeder(scored.layout, ear).step())
    told = [one for one in ear.new() if isinstance(one, ModelMetric)]
    assert {one.model.split for one in told} == {"deploy"}
    fitted = [one for one in told if one.model.seed is not None]
    assert [(one.model.family, one.reason) for one in fitted] == [("majority", NOT_SCORED)]
    assert "record is damaged" in caplog.text


def test_the_mix_is_by_seconds_of_the_labels(tmp_path_factory: pytest.TempPathFactory) -> None:
    warehouse = smoke_warehouse(tmp_path_factory)
    counted = count_phases(warehouse)
    assert counted is not None
    mix = mix_of(counted, population=60)
    rows = warehouse.tables.read(Table.EPISODES).to_pylist()
    assert (mix.basis, mix.sampled_episodes, mix.population_episodes) == (
        MixBasis.SECONDS,
        len(rows),
        60,
    )
    seconds = dict.fromkeys([*PHASES, "failed"], 0.0)
    for row in rows:
        labels = row["transitions"]
        end_s = (row["t_end_wall_ns"] - row["t0_wall_ns"]) / 1e9
        bounds = [min(one["t_s"], end_s) for one in labels] + [end_s]
        for label, (start, end) in zip(labels, itertools.pairwise(bounds), strict=True):
            seconds[label["phase"]] += end - start
    assert mix.weighted_seconds == pytest.approx({phase: seconds[phase] for phase in PHASES})
    canonical = sum(seconds[phase] for phase in PHASES)
    assert mix.proportions is not None
    assert mix.proportions.clean == pytest.approx(seconds["clean"] / canonical)
    assert mix.total_labels + mix.other_labels == sum(len(row["transitions"]) for row in rows)


def test_without_durations_labels_are_counted_and_failed_is_in_no_denominator(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse = copy_of(smoke_warehouse(tmp_path_factory), tmp_path / "data")
    shutil.rmtree(warehouse.tables.path(Table.EPISODES))
    rows = warehouse.tables.read(Table.VALIDATION_INDEX)
    texts = ["clean,armed,failed", "clean", *[""] * (rows.num_rows - 2)]
    column = rows.schema.get_field_index("phases_observed")
    changed = rows.set_column(column, rows.schema.field(column), [texts])
    shutil.rmtree(warehouse.tables.path(Table.VALIDATION_INDEX))
    warehouse.tables.append(Table.VALIDATION_INDEX, changed)
    counted = count_phases(warehouse)
    assert counted is not None
    mix = mix_of(counted, population=99)
    assert (mix.basis, mix.weighted_seconds) == (MixBasis.LABELS, None)
    assert (mix.sampled_episodes, mix.population_episodes) == (2, 99)
    assert (mix.total_labels, mix.other_labels) == (3, 1)
    assert mix.proportions is not None
    assert mix.proportions.clean == pytest.approx(2 / 3)
    assert pc.sum(pc.equal(changed["phases_observed"], "clean")).as_py() == 1


def test_the_mix_survives_snapshots(tmp_path_factory: pytest.TempPathFactory) -> None:
    hub, holdings = Hub(), Holdings()
    feeder = PhaseMixFeeder(smoke_warehouse(tmp_path_factory), hub, holdings)
    asyncio.run(feeder.step())
    for _ in range(3):
        hub.publish(holdings.snapshot(0.0, index_damage=0, bytes_behind=0))
    batch = b"".join(iter(hub.listen(None).take, b""))
    assert batch.count(b'"topic":"phase_mix"') == 1
    assert batch.count(b'"topic":"snapshot"') == 1


def test_nothing_to_count_is_null_and_not_zero(tmp_path: Path) -> None:
    assert count_phases(Warehouse(tmp_path)) is None
    from cis490_pipeline.live.feeders.phase_mix import Counted

    mix: Any = mix_of(Counted(), population=0)
    assert mix.proportions is None
    assert mix.weighted_seconds is None


def test_shadow_mode_is_told_by_host_and_again_where_it_changed(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse = copy_of(watched_warehouse(tmp_path_factory), tmp_path / "data")
    ear = Ear()
    feeder = ShadowFeeder(warehouse.layout, ear)
    assert asyncio.run(feeder.step()) is None
    (event,) = ear.new()
    assert isinstance(event, Shadow)
    (found,) = standing_summaries(warehouse.layout)
    figures = {one.name: one for one in event.figures}
    rate = figures["false_alarms_per_host_hour"]
    wanted = found.false_alarms_per_host_hour
    assert (rate.value, rate.low, rate.high) == (wanted.point, wanted.low, wanted.high)
    assert (event.host_id, event.model.split, event.n_episodes) == (
        "lab-b",
        "deploy",
        found.n_episodes,
    )
    assert event.n_drifted == sum(one.drifted for one in found.drift.channels)
    assert [one.ks for one in event.drift] == sorted((one.ks for one in event.drift), reverse=True)

    watch(warehouse, "lab-b")  # the same again
    asyncio.run(feeder.step())
    assert ear.new() == []
    watch(warehouse, "lab-a")
    asyncio.run(feeder.step())
    assert [one.host_id for one in ear.new() if isinstance(one, Shadow)] == ["lab-a"]
    empty = ShadowFeeder(Warehouse(tmp_path / "nowhere").layout, ear)
    assert asyncio.run(empty.step()) is not None
