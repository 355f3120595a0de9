"""Scoring on a split: ledger first, predictions once, refusal of everything that leaks."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.compute as pc
import pytest

from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.test_sets import TestSet, load_test_set, save_test_set
from cis490_pipeline.datasets.training_sets import (
    TrainingSet,
    load_training_set,
    save_training_set,
)
from cis490_pipeline.edge.header import BundleHeader
from cis490_pipeline.errors import LeakageError, WarehouseError
from cis490_pipeline.evaluation import on_split
from cis490_pipeline.evaluation.records import EvaluationRecord, current_records
from cis490_pipeline.models.bundle import read_files, read_header
from cis490_pipeline.models.current import fitted_models, save_fitted
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.models.trunk_header import TRUNK_FILE, TRUNK_FORMAT, TrunkHeader
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.ids import EpisodeId
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS, Table
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import (
    CHEAP,
    SPLIT,
    copy_of,
    fit,
    plan,
    score,
    scored_warehouse,
    smoke_warehouse,
)

MAJORITY, CLOCK, GBT = CHEAP
KEYS = ["family", "mode", "context", "seed", "role", "episode_id", "window"]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """For reading only."""
    return scored_warehouse(tmp_path_factory)


@pytest.fixture
def mine(scored: Warehouse, tmp_path: Path) -> Warehouse:
    """A copy that a test may change."""
    return copy_of(scored, tmp_path / "data")


def predictions(warehouse: Warehouse) -> pl.DataFrame:
    return pl.read_delta(str(warehouse.tables.path(Table.PREDICTIONS)))


def ledger(warehouse: Warehouse) -> list[dict[str, str]]:
    rows = warehouse.tables.read(Table.TEST_LEDGER).to_pylist()
    return sorted(rows, key=lambda row: (row["when"], row["bundle"]))


def record_of(warehouse: Warehouse, family: str) -> EvaluationRecord:
    (found,) = (r for r in current_records(warehouse.layout, SPLIT) if r.fitted.family == family)
    return found


def test_every_window_of_both_roles_is_predicted_once(scored: Warehouse) -> None:
    found = predictions(scored)
    assert found.select(KEYS).is_duplicated().sum() == 0
    members = {
        "id_val": load_training_set(scored.layout, SPLIT).id_val,
        "test": load_test_set(scored.layout, SPLIT).test,
    }
    for role, who in members.items():
        ids = [member.episode_id for member in who]
        wanted = scored.tables.count(Table.WINDOW_FEATURES, where=pc.field("episode_id").isin(ids))
        for options in CHEAP:
            rows = found.filter(role=role, family=options.family)
            assert rows.height == wanted > 0
            assert set(rows["episode_id"]) == set(ids)
    assert set(found["role"]) == set(members)
    assert set(found["split"]) == {SPLIT}


def test_probabilities_are_probabilities(scored: Warehouse) -> None:
    proba_NK = predictions(scored).select(PROBABILITY_COLUMNS).to_numpy()
    assert np.isfinite(proba_NK).all()
    assert (proba_NK >= 0).all()
    np.testing.assert_allclose(proba_NK.sum(axis=1), 1.0, atol=1e-9)


def test_each_scoring_is_one_entry_of_the_ledger(scored: Warehouse) -> None:
    entries = ledger(scored)
    bundles = {r.fitted.bundle: r.fitted.identity for r in current_records(scored.layout, SPLIT)}
    assert {entry["bundle"]: entry["identity"] for entry in entries} == bundles
    assert len(entries) == len(CHEAP) == 3
    for entry in entries:
        assert (entry["split"], entry["why"]) == (SPLIT, "test")
        assert entry["code_commit"] == "c0ffee"
        assert entry["when"].endswith("+00:00")


def test_scoring_again_replaces_the_predictions_and_is_a_second_entry(mine: Warehouse) -> None:
    before = predictions(mine).sort(KEYS)
    score(mine, SPLIT, CLOCK, why="again")
    after = predictions(mine).sort(KEYS)
    assert after.equals(before)
    assert len(ledger(mine)) == 4
    assert [entry["why"] for entry in ledger(mine)].count("again") == 1


def test_a_refitted_model_takes_the_place_of_the_earlier_bundle(mine: Warehouse) -> None:
    other = replace(GBT, overrides={"rounds": 2})
    bundle = fit(mine, SPLIT, other)
    score(mine, SPLIT, other)
    rows = predictions(mine).filter(family="gbt")
    assert set(rows["bundle"]) == {bundle}
    assert rows.height == predictions(mine).filter(family="majority").height
    assert record_of(mine, "gbt").fitted.bundle == bundle


def test_another_seed_stands_beside_the_first(mine: Warehouse) -> None:
    other = replace(GBT, seed=7, overrides={"rounds": 2})
    fit(mine, SPLIT, other)
    score(mine, SPLIT, other)
    rows = predictions(mine).filter(family="gbt")
    assert set(rows["seed"]) == {0, 7}
    assert rows.select(KEYS).is_duplicated().sum() == 0
    # one call scores both seeds, and each of them is a look at the test set
    assert len(ledger(mine)) == len(CHEAP) + 2


@pytest.mark.parametrize("family", ["majority", "elapsed_time", "gbt"])
def test_the_record_equals_what_ten_lines_of_polars_say(scored: Warehouse, family: str) -> None:
    rows = predictions(scored).filter(role="test", family=family)
    proba = pl.concat_list(PROBABILITY_COLUMNS).list.arg_max()
    truth, said = rows["phase"].to_numpy(), rows.select(proba.alias("said"))["said"].to_numpy()
    evaluation = record_of(scored, family).evaluation
    assert evaluation is not None
    counts = [[int(((truth == t) & (said == s)).sum()) for s in range(5)] for t in range(5)]
    assert [list(row) for row in evaluation.confusion] == counts
    scores = []
    for code, one in enumerate(evaluation.classes):
        hits, called, real = counts[code][code], (said == code).sum(), (truth == code).sum()
        assert (one.phase, one.n_windows) == (PHASES[code].value, real)
        assert one.n_episodes == rows.filter(phase=code)["episode_id"].n_unique()
        assert one.recall == pytest.approx(hits / real)
        if called:
            assert one.precision == pytest.approx(hits / called)
        else:
            assert one.precision is None, "never predicted is absent, not zero"
        assert one.f1.point == pytest.approx(2 * hits / (called + real))
        scores.append(2 * hits / (called + real))
    assert evaluation.macro_f1.point == pytest.approx(np.mean(scores))
    assert evaluation.accuracy == pytest.approx(float((truth == said).mean()))
    assert evaluation.n_windows == rows.height == 369
    assert evaluation.n_episodes == rows["episode_id"].n_unique() == 24


def test_the_interval_surrounds_the_point_and_names_its_condition(scored: Warehouse) -> None:
    for record in current_records(scored.layout, SPLIT):
        assert record.evaluation is not None
        score_ = record.evaluation.macro_f1
        ends = [end for end in (score_.low, score_.point, score_.high) if end is not None]
        assert len(set(ends)) == 3
        assert ends == sorted(ends)
        assert score_.condition == "conditional on host lab-b"
        assert record.evaluation.scope.untested_profiles == ("scan-and-dial",)
        untested = [p for p in record.evaluation.profiles if p.name == "scan-and-dial"]
        assert [(p.macro_f1, p.accuracy, p.n_windows) for p in untested] == [(None, None, 0)]


def test_the_clock_is_the_same_whatever_the_channels_say(scored: Warehouse) -> None:
    rows = predictions(scored).filter(family="elapsed_time", role="test")
    per_time = rows.group_by("t_center_s").agg(pl.col(PROBABILITY_COLUMNS[0]).n_unique())
    assert per_time[PROBABILITY_COLUMNS[0]].to_list() == [1] * per_time.height


def train_member(warehouse: Warehouse) -> Member:
    return load_training_set(warehouse.layout, SPLIT).train[0]


def _by_id(test_set: TestSet, training: TrainingSet) -> tuple[Member, ...]:
    return (*test_set.test, training.train[0])


def _by_id_val(test_set: TestSet, training: TrainingSet) -> tuple[Member, ...]:
    return (*test_set.test, training.id_val[0])


def _by_tarball(test_set: TestSet, training: TrainingSet) -> tuple[Member, ...]:
    copied = Member(episode_id=EpisodeId("01" + "Z" * 24), sha256=training.train[0].sha256)
    return (*test_set.test, copied)


Plant = Callable[[TestSet, TrainingSet], tuple[Member, ...]]


@pytest.mark.parametrize(
    ("planted", "detail"),
    [
        (_by_id, "in train and in test"),
        (_by_id_val, "in id_val and in test"),
        (_by_tarball, "in test as 01ZZZZ"),
    ],
)
def test_overlapping_sets_are_refused_before_anything_is_read(
    mine: Warehouse, planted: Plant, detail: str
) -> None:
    training, test_set = (f(mine.layout, SPLIT) for f in (load_training_set, load_test_set))
    assert isinstance(training, TrainingSet)
    assert isinstance(test_set, TestSet)
    save_test_set(mine.layout, replace(test_set, test=planted(test_set, training)))
    before = [mine.tables.version(table) for table in (Table.PREDICTIONS, Table.TEST_LEDGER)]
    with pytest.raises(LeakageError, match="not disjoint") as caught:
        score(mine, SPLIT, MAJORITY)
    assert detail in caught.value.found
    after = [mine.tables.version(table) for table in (Table.PREDICTIONS, Table.TEST_LEDGER)]
    assert after == before


def test_a_bundle_that_was_fitted_on_other_episodes_is_refused(mine: Warehouse) -> None:
    training = load_training_set(mine.layout, SPLIT)
    save_training_set(mine.layout, replace(training, training_ids_hash="0" * 64))
    with pytest.raises(LeakageError, match="fitted on other episodes") as caught:
        score(mine, SPLIT, GBT)
    assert "000000000000" in caught.value.found
    assert training.training_ids_hash[:12] in caught.value.found
    assert len(ledger(mine)) == len(CHEAP), "the test set was not looked at"


def test_a_model_whose_trunk_has_seen_other_episodes_is_refused(mine: Warehouse) -> None:
    registry = ModelRegistry(mine.layout.models)
    training = load_training_set(mine.layout, SPLIT)
    models = fitted_models(mine.layout, SPLIT, training.content_hash)
    gbt = next(one for one in models if one.family == "gbt")
    _, header = read_header(registry.root / gbt.bundle)
    weights = read_files(registry.root / gbt.bundle, header)
    for ids, leaks in ((training.training_ids_hash, False), ("0" * 64, True)):
        trunk = registry.save(_trunk_of(header, ids), {TRUNK_FILE: b"weights"})
        forged = replace(header, trunk=trunk, identity=trunk)
        save_fitted(mine.layout, replace(gbt, bundle=registry.save(forged, weights)))
        if leaks:
            with pytest.raises(LeakageError, match="fitted on other episodes") as caught:
                score(mine, SPLIT, GBT)
            assert trunk[:12] in caught.value.where
        else:
            score(mine, SPLIT, GBT)


def _trunk_of(header: BundleHeader, training_ids_hash: str) -> TrunkHeader:
    same = {field.name for field in fields(TrunkHeader)} & {f.name for f in fields(BundleHeader)}
    return TrunkHeader(
        **{name: getattr(header, name) for name in same}
        | {
            "format_version": TRUNK_FORMAT,
            "training_ids_hash": training_ids_hash,
            "identity": hashlib.sha256(training_ids_hash.encode()).hexdigest(),
        }
    )


def test_a_model_of_yesterdays_training_set_is_not_scored_as_todays(mine: Warehouse) -> None:
    training = load_training_set(mine.layout, SPLIT)
    save_training_set(mine.layout, replace(training, content_hash="0" * 64))
    with pytest.raises(WarehouseError, match="no model was fitted on the current training set"):
        score(mine, SPLIT, GBT)
    assert current_records(mine.layout, SPLIT) == ()


def test_records_of_another_test_set_are_no_longer_current(mine: Warehouse) -> None:
    test_set = load_test_set(mine.layout, SPLIT)
    save_test_set(mine.layout, replace(test_set, content_hash="0" * 64))
    assert current_records(mine.layout, SPLIT) == ()
    score(mine, SPLIT, CLOCK)
    assert [r.fitted.family for r in current_records(mine.layout, SPLIT)] == ["elapsed_time"]


def test_without_a_model_the_error_says_what_to_run(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse = copy_of(smoke_warehouse(tmp_path_factory), tmp_path / "data")
    with pytest.raises(WarehouseError, match="no set file yet"):
        score(warehouse, SPLIT, MAJORITY)
    plan(warehouse, SPLIT)
    with pytest.raises(WarehouseError, match=r"host=lab-b, majority/any") as caught:
        score(warehouse, SPLIT, MAJORITY)
    assert "cis490 train" in caught.value.todo
    assert ledger(warehouse) == []


def test_the_look_is_in_the_ledger_even_where_the_scoring_dies(
    mine: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(on_split, "predict", dies)
    before = predictions(mine).sort(KEYS)
    with pytest.raises(MemoryError):
        score(mine, SPLIT, CLOCK, why="dies")
    assert [entry["why"] for entry in ledger(mine)].count("dies") == 1
    assert predictions(mine).sort(KEYS).equals(before)


def test_deploy_is_no_look_at_any_test_set(mine: Warehouse) -> None:
    options = FitOptions(family="elapsed_time", mode=Mode.ANY)
    plan(mine, "deploy")
    fit(mine, "deploy", options)
    score(mine, "deploy", options)
    (record,) = current_records(mine.layout, "deploy")
    assert record.evaluation is None
    assert len(ledger(mine)) == len(CHEAP)
    rows = predictions(mine).filter(split="deploy")
    assert set(rows["role"]) == {"id_val"}
    assert set(rows["host_id"]) == {"lab-a", "lab-b"}
    assert predictions(mine).filter(split=SPLIT).height == predictions(mine).height - rows.height


@pytest.mark.parametrize("content", [b"{", b"null", b'{"fitted": 1}', b'{"fitted": "\xff"}'])
def test_a_damaged_record_is_an_error_that_names_it(mine: Warehouse, content: bytes) -> None:
    (path,) = mine.layout.split(SPLIT).glob("evaluations/majority*.json")
    assert json.loads(path.read_text("utf-8"))["evaluation"]["bundle"]
    path.write_bytes(content)
    with pytest.raises(WarehouseError, match="record is damaged") as caught:
        current_records(mine.layout, SPLIT)
    assert caught.value.where == str(path)
