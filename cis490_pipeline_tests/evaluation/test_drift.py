"""Drift of a host's channels: planted, absent, constant; and read from recorded episodes."""

# A figure that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import ks_2samp

from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.test_sets import load_test_set, save_test_set
from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.errors import LeakageError
from cis490_pipeline.evaluation import drift_on_split as on_split
from cis490_pipeline.evaluation.drift import DriftRole, EpisodeTelemetry, drift_of, most_drifted
from cis490_pipeline.evaluation.drift_on_split import WHY, drift_on_split, path_of_drift
from cis490_pipeline.evaluation.opening import NO_MODEL
from cis490_pipeline.schema.channels import CHANNELS, N_CHANNELS
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import SPLIT, copy_of, plan, smoke_warehouse

NOTHING = EpisodeTelemetry(
    host_E=np.empty(0, dtype=np.str_),
    mean_EC=np.empty((0, N_CHANNELS)),
    missing_EC=np.empty((0, N_CHANNELS)),
)


def telemetry(*hosts, n_each=20, seed=0, shift=None, silent=None, constant=None):
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=(n_each * len(hosts), N_CHANNELS))
    missing = np.full(mean.shape, 0.25)
    if shift is not None:
        mean[:, shift] += 5.0
    if constant is not None:
        mean[:, constant] = 7.0
    if silent is not None:
        mean[:, silent], missing[:, silent] = np.nan, 1.0
    return EpisodeTelemetry(host_E=np.repeat(hosts, n_each), mean_EC=mean, missing_EC=missing)


def _of(found, role, host):
    return next(one for one in found if one.role is role and one.host == host)


def test_the_channel_that_was_moved_is_the_one_that_is_found():
    found = drift_of(
        telemetry("lab-a", "lab-c"),
        telemetry("lab-a", seed=1),
        telemetry("lab-b", seed=2, shift=9),
    )
    host = _of(found, DriftRole.TEST, "lab-b")
    assert [one.channel for one in host.channels if one.drifted] == [CHANNELS[9].column]
    assert most_drifted(host, 1)[0].channel == CHANNELS[9].column
    assert host.channels[9].distance_iqr > 3
    assert (host.n_episodes, host.n_reference) == (20, 40)
    for role, name in ((DriftRole.ID_VAL, "lab-a"), (DriftRole.TRAIN, "lab-a")):
        assert not any(one.drifted for one in _of(found, role, name).channels)
    assert _of(found, DriftRole.TRAIN, "lab-a").n_reference == 20


def test_a_channel_without_a_value_is_missing_and_never_zero():
    found = drift_of(telemetry("lab-a"), NOTHING, telemetry("lab-b", seed=2, silent=3))
    channel = _of(found, DriftRole.TEST, "lab-b").channels[3]
    assert (channel.ks, channel.p, channel.p_holm, channel.distance_iqr) == (None,) * 4
    assert (channel.missing, channel.reference_missing) == (1.0, 0.25)
    assert channel.reason == ("0 episodes of the host have a value: a distance takes at least 2")
    assert not channel.drifted
    both = drift_of(telemetry("lab-a", silent=3), NOTHING, telemetry("lab-b", seed=2, silent=3))
    assert "0 episodes of the reference" in _of(both, DriftRole.TEST, "lab-b").channels[3].reason


def test_a_channel_that_never_moved_in_training_has_no_unit_and_a_ks_distance():
    found = drift_of(telemetry("lab-a", constant=4), NOTHING, telemetry("lab-b", seed=2))
    channel = _of(found, DriftRole.TEST, "lab-b").channels[4]
    assert channel.ks == 1.0
    assert channel.distance_iqr is None
    assert "does not vary" in channel.reason


def test_one_training_host_has_no_other_to_be_held_to():
    found = drift_of(telemetry("lab-a"), NOTHING, telemetry("lab-b", seed=2))
    alone = _of(found, DriftRole.TRAIN, "lab-a")
    assert (alone.reason, alone.channels) == ("the only training host", ())


def test_without_training_episodes_a_test_host_has_a_reason():
    (host,) = drift_of(NOTHING, NOTHING, telemetry("lab-b"))
    assert (host.reason, host.channels) == ("there are no training episodes", ())


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """For reading only."""
    root = tmp_path_factory.mktemp("drift") / "data"
    warehouse = copy_of(smoke_warehouse(tmp_path_factory), root)
    plan(warehouse, SPLIT)
    return warehouse


@pytest.fixture
def mine(planned: Warehouse, tmp_path: Path) -> Warehouse:
    return copy_of(planned, tmp_path / "data")


def _drift(warehouse):
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return drift_on_split(warehouse, SPLIT, code_commit="c0ffee", now=lambda: now)


def _looks(warehouse):
    return warehouse.tables.read(Table.TEST_LEDGER).to_pylist()


def test_recorded_episodes_equal_polars_and_scipy(mine):
    found = _drift(mine)
    training, test = load_training_set(mine.layout, SPLIT), load_test_set(mine.layout, SPLIT)
    frame = pl.read_delta(str(mine.tables.path(Table.EPISODE_FEATURES)))

    def column(members, name):
        return frame.filter(pl.col("episode_id").is_in([m.episode_id for m in members]))[name]

    host = _of(found.hosts, DriftRole.TEST, "lab-b")
    assert host.n_episodes == len(test.test)
    assert host.n_reference == len(training.train)
    for channel in host.channels:
        name = channel.channel
        pair = [
            column(who, f"{name}_mean").drop_nulls().to_numpy().astype(float)
            for who in (training.train, test.test)
        ]
        assert channel.ks == pytest.approx(ks_2samp(*pair).statistic)
        missing = column(test.test, f"{name}_missing").mean()
        assert channel.missing == pytest.approx(missing, abs=1e-6)
    assert any(one.drifted for one in host.channels)
    same_host = _of(found.hosts, DriftRole.ID_VAL, "lab-a")
    assert sum(one.drifted for one in same_host.channels) < sum(
        one.drifted for one in host.channels
    )


def test_the_look_is_entered_once_for_a_pair_of_sets_and_without_a_model(mine):
    first = _drift(mine)
    assert _drift(mine) == first
    (entry,) = _looks(mine)
    assert (entry["why"], entry["bundle"], entry["identity"]) == (WHY, NO_MODEL, NO_MODEL)
    assert entry["split"] == SPLIT
    damaged = path_of_drift(mine.layout, SPLIT)
    damaged.write_bytes(damaged.read_bytes()[:-20])
    assert _drift(mine) == first
    assert len(_looks(mine)) == 2


def test_the_look_is_in_the_ledger_even_where_the_arithmetic_dies(mine, monkeypatch):
    def dies(*_):
        raise MemoryError

    monkeypatch.setattr(on_split, "drift_of", dies)
    with pytest.raises(MemoryError):
        _drift(mine)
    assert len(_looks(mine)) == 1


def test_sets_that_overlap_are_not_looked_at(mine):
    training, test = load_training_set(mine.layout, SPLIT), load_test_set(mine.layout, SPLIT)
    _save(mine, test, (*test.test, training.train[0]))
    with pytest.raises(LeakageError):
        _drift(mine)
    assert _looks(mine) == []


def _save(warehouse, test_set, members):
    from dataclasses import replace

    save_test_set(warehouse.layout, replace(test_set, test=members, content_hash="changed"))


def test_episodes_that_the_tables_no_longer_hold_are_a_reason_and_no_look(mine):
    test = load_test_set(mine.layout, SPLIT)
    first = test.test[0]
    _save(mine, test, (Member(episode_id=first.episode_id, sha256="0" * 64), *test.test[1:]))
    found = _drift(mine)
    assert first.episode_id in found.reason
    assert (found.hosts, _looks(mine)) == ((), [])
    assert not path_of_drift(mine.layout, SPLIT).exists()


def test_a_split_without_a_test_set_has_a_reason(mine):
    _save(mine, load_test_set(mine.layout, SPLIT), ())
    assert _drift(mine).reason == "the split has no test set"
    assert _looks(mine) == []


def test_the_file_holds_null_for_what_is_missing(mine):
    _drift(mine)
    written = json.loads(path_of_drift(mine.layout, SPLIT).read_text())
    assert written["reason"] is None
    assert next(one for one in written["hosts"] if one["role"] == "train")["reason"] is not None
