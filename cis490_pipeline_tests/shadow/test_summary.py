"""A host under watch: sums of its rows, intervals, drift; and who watches."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy import stats

from cis490_pipeline.datasets.training_sets import load_training_set, training_set_path
from cis490_pipeline.errors import ConfigurationError, WarehouseError
from cis490_pipeline.evaluation.drift_on_split import telemetry_of
from cis490_pipeline.schema.channels import CHANNELS
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.shadow.scores import arrivals
from cis490_pipeline.shadow.summary import ShadowHost, standing_summaries
from cis490_pipeline.shadow.watcher import NoWatcher, Watcher, find_watcher
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import FEW, copy_of
from cis490_pipeline_tests.shadow.watched import (
    DEPLOY,
    LABEL,
    arrived_warehouse,
    watch,
    watched_warehouse,
    watcher,
)


@pytest.fixture
def watched(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    return copy_of(watched_warehouse(tmp_path_factory), tmp_path / "data")


def test_rates_are_the_sums_of_the_rows(watched: Warehouse) -> None:
    (found,) = standing_summaries(watched.layout)
    rows = watched.tables.read(Table.SHADOW_SCORES).to_pylist()
    assert (found.host, found.model, found.n_episodes) == ("lab-b", LABEL, len(rows))
    hours = sum(row["watched_s"] or 0 for row in rows) / 3600
    clean = sum(row["clean_s"] or 0 for row in rows) / 3600
    alarms = sum(row["n_alarms"] or 0 for row in rows)
    false = sum(row["n_false_alarms"] or 0 for row in rows)
    assert (found.n_alarms, found.n_false_alarms) == (alarms, false)
    for figure, wanted in (
        (found.alarms_per_host_hour, alarms / hours),
        (found.false_alarms_per_host_hour, false / clean),
    ):
        assert figure.point == pytest.approx(wanted)
        assert figure.low is not None
        assert figure.high is not None
        assert 0 <= figure.low <= wanted <= figure.high
        assert "lab-b" in figure.condition
    infected = [row for row in rows if row["onset_s"] is not None]
    detected = [row for row in infected if row["detected_s"] is not None]
    assert found.detected.point == pytest.approx(len(detected) / len(infected))
    assert found.detected.n_episodes == len(infected)


def test_drift_is_that_of_arrivals_against_all_that_trained(watched: Warehouse) -> None:
    (found,) = standing_summaries(watched.layout)
    chosen = watcher(watched)
    own = telemetry_of(watched, [one.member for one in arrivals(watched, "lab-b", chosen)])
    reference = telemetry_of(watched, chosen.training_set.train)
    assert (found.drift.n_episodes, found.drift.n_reference) == (
        len(own.host_E),
        len(chosen.training_set.train),
    )
    compared = 0
    for place, channel in enumerate(CHANNELS):
        told = found.drift.channels[place]
        assert told.channel == channel.column
        here, there = (one.mean_EC[:, place] for one in (own, reference))
        here, there = here[~np.isnan(here)], there[~np.isnan(there)]
        if told.ks is not None:
            assert told.ks == pytest.approx(stats.ks_2samp(here, there).statistic, abs=1e-6)
            compared += 1
    assert compared > 20
    assert any(one.drifted for one in found.drift.channels)  # another machine


def test_a_damaged_summary_is_named(watched: Warehouse) -> None:
    path = watched.layout.shadow("lab-b")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WarehouseError, match=r"lab-b\.json"):
        standing_summaries(watched.layout)
    watch(watched, "lab-b")
    assert [one.host for one in standing_summaries(watched.layout)] == ["lab-b"]


def test_a_host_of_any_name_has_a_file_of_its_own(watched: Warehouse) -> None:
    found = standing_summaries(watched.layout)[0]
    for host in ("../../x", "<b>", "lab-b"):
        path = watched.layout.shadow(host)
        assert path.parent == watched.layout.shadow("lab-b").parent
        path.write_bytes(msgspec.json.encode(replace(found, host=host)))
    assert [one.host for one in standing_summaries(watched.layout)] == ["../../x", "<b>", "lab-b"]


def test_figures_of_a_host_survive_the_file(watched: Warehouse) -> None:
    _, found = watch(watched, "lab-b")
    (read,) = standing_summaries(watched.layout)
    assert isinstance(read, ShadowHost)
    assert read == found
    assert not any(
        isinstance(value, float) and math.isnan(value)
        for one in read.drift.channels
        for value in (one.ks, one.p, one.distance_iqr)
    )


def test_who_watches_is_what_id_val_recommends(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse = copy_of(arrived_warehouse(tmp_path_factory), tmp_path / "data")
    found = find_watcher(warehouse, config=FEW)
    if isinstance(found, Watcher):
        assert found.fitted.split == DEPLOY
        assert found.key.label == LABEL
    else:
        assert "name a model" in found.reason
    with pytest.raises(ConfigurationError, match="gbt/realistic"):
        find_watcher(warehouse, "nosuch/realistic")
    shutil.rmtree(warehouse.tables.path(Table.PREDICTIONS))
    unscored = find_watcher(warehouse, config=FEW)
    assert isinstance(unscored, NoWatcher)
    assert "evaluate_split[deploy]" in unscored.reason
    assert isinstance(find_watcher(warehouse, LABEL), Watcher)
    shutil.rmtree(warehouse.layout.split(DEPLOY) / "models")
    unfitted = find_watcher(warehouse)
    assert isinstance(unfitted, NoWatcher)
    assert "no current model" in unfitted.reason
    assert load_training_set(warehouse.layout, DEPLOY)
    training_set_path(warehouse.layout, DEPLOY).unlink()
    unplanned = find_watcher(warehouse)
    assert isinstance(unplanned, NoWatcher)
    assert "never planned" in unplanned.reason
