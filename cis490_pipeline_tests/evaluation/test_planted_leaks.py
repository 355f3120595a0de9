"""Each leak is planted, and caught by the check that is there for it; without the plant all pass.

Planted in the way that the leak would come about: by code that reads too much, by a planner with a
bug, by a store that changes between planning and scoring.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.datasets.test_sets import load_test_set, save_test_set
from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.errors import LeakageError, WarehouseError
from cis490_pipeline.evaluation.opening import leaks_now
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.models import logistic
from cis490_pipeline.models.columns import fit_columns
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.ids import EpisodeId
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.splits.leakage import LeakKind
from cis490_pipeline.training import on_split
from cis490_pipeline.training.on_split import FitOptions, fit_on_split, pretrain_on_split
from cis490_pipeline.training.progress import SilentReporter
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import (
    SPLIT,
    copy_of,
    fit,
    plan,
    score,
    smoke_warehouse,
)

LINEAR = FitOptions(family="logistic", mode=Mode.REALISTIC, overrides={"penalty": 1.0})
SEMI = FitOptions(family="knn_semi", mode=Mode.REALISTIC)
TREES = FitOptions(family="gbt", mode=Mode.REALISTIC, overrides={"rounds": 3})
BERT = FitOptions(
    family="bert", mode=Mode.REALISTIC, overrides={"epochs": 1, "pretraining_steps": 1}
)
BEYOND = "a fit reads beyond its training set"


@pytest.fixture
def mine(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    """The smoke subset with its sets planned, for changing."""
    warehouse = copy_of(smoke_warehouse(tmp_path_factory), tmp_path / "data")
    plan(warehouse, SPLIT)
    return warehouse


def sets(warehouse: Warehouse) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    layout = warehouse.layout
    return load_training_set(layout, SPLIT).train, load_test_set(layout, SPLIT).test


def kinds(warehouse: Warehouse) -> set[LeakKind]:
    layout = warehouse.layout
    found = leaks_now(warehouse, load_training_set(layout, SPLIT), load_test_set(layout, SPLIT))
    return {leak.kind for leak in found}


def plant_members(warehouse: Warehouse, *more: Member) -> None:
    test_set = load_test_set(warehouse.layout, SPLIT)
    save_test_set(warehouse.layout, replace(test_set, test=(*test_set.test, *more)))


def test_without_a_plant_nothing_is_caught(mine: Warehouse) -> None:
    assert kinds(mine) == set()
    for options in (LINEAR, SEMI, TREES):
        fit(mine, SPLIT, options)
        score(mine, SPLIT, options)
    assert len(current_records(mine.layout, SPLIT)) == 3


def test_the_same_episode_twice(mine: Warehouse) -> None:
    plant_members(mine, sets(mine)[0][0])
    assert kinds(mine) == {LeakKind.EPISODE_IN_TWO_ROLES, LeakKind.CHANGED_HOST}


def test_the_same_episode_twice_in_one_role(mine: Warehouse) -> None:
    plant_members(mine, sets(mine)[1][0])
    assert kinds(mine) == {LeakKind.DUPLICATE_EPISODE}


def test_the_same_tarball_under_two_ids(mine: Warehouse) -> None:
    trained = sets(mine)[0][0]
    plant_members(mine, replace(trained, episode_id=EpisodeId("01" + "Z" * 24)))
    assert kinds(mine) == {LeakKind.TARBALL_IN_TWO_ROLES}


Loading = Callable[..., object]


@pytest.fixture
def greedy(mine: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code of training that takes the windows of the test set as well, whatever for."""
    real: Loading = on_split._cases
    test = sets(mine)[1]
    monkeypatch.setattr(
        on_split,
        "_cases",
        lambda warehouse, who, request: real(warehouse, (*who, *test), request),
    )


@pytest.mark.usefixtures("greedy")
@pytest.mark.parametrize("options", [SEMI, LINEAR, TREES], ids=lambda one: one.family)
def test_windows_of_the_test_set_in_a_fit(mine: Warehouse, options: FitOptions) -> None:
    with pytest.raises(LeakageError, match=BEYOND) as caught:
        fit(mine, SPLIT, options)
    assert sets(mine)[1][0].episode_id in caught.value.found
    assert f"training set of split {SPLIT}" in caught.value.where


@pytest.mark.usefixtures("greedy")
def test_windows_of_the_test_set_under_a_trunk(mine: Warehouse) -> None:
    with pytest.raises(LeakageError, match=BEYOND):
        pretrain_on_split(mine, SPLIT, BERT, SilentReporter(), lambda: False)


def test_a_fit_that_looks_for_the_test_set(
    mine: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def curious(warehouse: Warehouse, *_: object) -> object:
        return load_test_set(warehouse.layout, SPLIT)

    monkeypatch.setattr(on_split, "_cases", curious)
    with pytest.raises(LeakageError, match=BEYOND) as caught:
        fit(mine, SPLIT, TREES)
    assert caught.value.found == f"the test set of split {SPLIT}"


@pytest.mark.parametrize("table", [Table.PREDICTIONS, Table.TEST_LEDGER])
def test_a_fit_that_looks_at_what_was_said_of_the_test_set(
    mine: Warehouse, monkeypatch: pytest.MonkeyPatch, table: Table
) -> None:
    fit(mine, SPLIT, TREES)
    score(mine, SPLIT, TREES)
    monkeypatch.setattr(on_split, "_cases", lambda warehouse, *_: warehouse.tables.read(table))
    with pytest.raises(LeakageError, match=BEYOND) as caught:
        fit(mine, SPLIT, LINEAR)
    assert table.value in caught.value.found


def test_a_scaler_fitted_on_everything(mine: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The header is honest, and every hash in it: only the constants tell."""
    train, test = sets(mine)
    everything = load_cases(
        mine, (*train, *test), Mode.REALISTIC, summary=True, sequences=False, context=Context.NONE
    ).cases
    with monkeypatch.context() as planted:
        planted.setattr(logistic, "fit_columns", lambda _: fit_columns(everything))
        fit(mine, SPLIT, LINEAR)
    before = mine.tables.count(Table.TEST_LEDGER)
    with pytest.raises(LeakageError, match="scaling of the bundle is not that") as caught:
        score(mine, SPLIT, LINEAR)
    assert "scaling, column" in caught.value.where
    assert caught.value.found != caught.value.expected
    assert mine.tables.count(Table.TEST_LEDGER) == before, "the test set was not looked at"


def test_a_window_across_a_split(mine: Warehouse) -> None:
    """Its ticks are those of the next episode of the shard, which may be of another role."""
    one = sets(mine)[0][0].episode_id
    where = pc.field("episode_id") == one
    row = mine.tables.read(Table.WINDOW_FEATURES, where=where).slice(0, 1)
    at = row.schema.get_field_index("window")
    row = row.set_column(at, row.schema.field(at), pa.array([10_000], row.schema.field(at).type))
    fit(mine, SPLIT, replace(TREES, seed=1))
    mine.tables.append(Table.WINDOW_FEATURES, row)
    with pytest.raises(WarehouseError, match="a window reaches beyond its episode") as caught:
        fit(mine, SPLIT, TREES)
    assert caught.value.where == f"episode {one}, window 10000"


def shipped_again(warehouse: Warehouse, member: Member, **changes: str) -> None:
    """Change what the tables say of an episode, as an ingest of the new tarball would."""
    for table in (Table.EPISODES, Table.WINDOW_FEATURES):
        rows = warehouse.tables.read(table, where=pc.field("episode_id") == member.episode_id)
        for name, value in changes.items():
            at = rows.schema.get_field_index(name)
            column = pa.array([value] * rows.num_rows, pa.string())
            rows = rows.set_column(at, rows.schema.field(at), column)
        warehouse.tables.replace_episodes(table, [member.episode_id], rows)


@pytest.mark.parametrize(("role", "host"), [(0, "lab-b"), (1, "lab-a")])
def test_the_same_tarball_shipped_again_by_a_host_of_the_other_side(
    mine: Warehouse, role: int, host: str
) -> None:
    fit(mine, SPLIT, TREES)
    shipped_again(mine, sets(mine)[role][0], host_id=host)
    assert kinds(mine) == {LeakKind.CHANGED_HOST}
    before = mine.tables.count(Table.TEST_LEDGER)
    with pytest.raises(LeakageError, match="not disjoint") as caught:
        score(mine, SPLIT, TREES)
    assert f"now belongs to host {host}" in caught.value.found
    assert mine.tables.count(Table.TEST_LEDGER) == before


def test_another_tarball_of_the_same_episode(mine: Warehouse) -> None:
    fit(mine, SPLIT, TREES)
    shipped_again(mine, sets(mine)[1][0], sha256="0" * 64)
    with pytest.raises(WarehouseError, match="no longer hold the content"):
        score(mine, SPLIT, TREES)


def test_what_the_test_windows_hold_has_no_influence_on_a_fit(mine: Warehouse) -> None:
    """Exchange every number of the test host: the bundles are the same to the byte."""
    options = (LINEAR, SEMI, TREES)
    first = [fit(mine, SPLIT, one) for one in options]
    for file in (mine.layout.models / "by-identity").iterdir():
        file.unlink()
    rows = mine.tables.read(Table.WINDOW_FEATURES, where=pc.field("host_id") == "lab-b")
    for at, field in enumerate(rows.schema):
        if pa.types.is_floating(field.type):
            rows = rows.set_column(at, field, pa.array([7.0] * rows.num_rows, field.type))
    mine.tables.replace_where(Table.WINDOW_FEATURES, "host_id = 'lab-b'", rows)
    again = [fit_on_split(mine, SPLIT, one, SilentReporter(), lambda: False) for one in options]
    assert not any(outcome.reused for outcome in again)
    assert [outcome.bundle for outcome in again] == first
