"""Two set files from one plan; each changes with its own side of the data and with nothing else."""

import shutil
from pathlib import Path

import pytest

from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.planning import (
    plan_from_tables,
    write_test_set,
    write_training_set,
)
from cis490_pipeline.datasets.test_sets import load_test_set
from cis490_pipeline.datasets.training_sets import TrainingSet, load_training_set
from cis490_pipeline.errors import ConfigurationError, SplitRefusedError, WarehouseError
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.planning import is_id_val
from cis490_pipeline.splits.recipes import HostLists
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.farm import farm, ingest, ship
from cis490_pipeline_tests.datasets.smoke import smoke_warehouse
from cis490_pipeline_tests.episodes.building import episode_id

SPLIT = "host=lab-b"
CONFIG = SplitConfig()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("farm")
    farm(root)
    return root


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of the made store, with its warehouse beside it in ``data``."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy" / "store"


def warehouse_of(store: Path, *hosts: str) -> Warehouse:
    return ingest(store, store.parent / "data", *hosts)


def hashes(warehouse: Warehouse, split: str = SPLIT) -> tuple[str, str]:
    training = write_training_set(warehouse, split, CONFIG)
    return training.content_hash, write_test_set(warehouse, split, CONFIG).content_hash


def test_both_sides_come_from_one_plan(store: Path) -> None:
    warehouse = warehouse_of(store)
    plan = plan_from_tables(warehouse, SPLIT, CONFIG)
    training = write_training_set(warehouse, SPLIT, CONFIG)
    test = write_test_set(warehouse, SPLIT, CONFIG)
    assert [m.episode_id for m in training.train] == [e.episode_id for e in plan.train]
    assert [m.episode_id for m in training.id_val] == [e.episode_id for e in plan.id_val]
    assert [m.episode_id for m in test.test] == [e.episode_id for e in plan.test]
    shas = {fact.episode_id: fact.sha256 for fact in episode_facts(warehouse)}
    for member in (*training.train, *training.id_val, *test.test):
        assert member.sha256 == shas[member.episode_id]
    assert (training.hosts, test.hosts, test.train_hosts) == (("lab-a",), ("lab-b",), ("lab-a",))
    assert training.profiles == test.trained_profiles == ("benign", "cpu-saturate", "io-walk")
    assert load_training_set(warehouse.layout, SPLIT) == training
    assert load_test_set(warehouse.layout, SPLIT) == test


def test_planning_again_changes_nothing(store: Path) -> None:
    warehouse = warehouse_of(store)
    assert hashes(warehouse) == hashes(warehouse_of(store, "lab-a", "lab-b"))


def test_a_new_episode_of_the_test_host_changes_the_test_side_alone(store: Path) -> None:
    before = hashes(warehouse_of(store))
    ship(store, "lab-b", 150, "io-walk")
    after = hashes(warehouse_of(store, "lab-b"))
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_new_episode_of_a_training_host_changes_the_training_side_alone(store: Path) -> None:
    before = hashes(warehouse_of(store))
    ship(store, "lab-a", 50, "io-walk")
    after = hashes(warehouse_of(store, "lab-a"))
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_a_new_episode_moves_no_old_one_between_train_and_id_val(store: Path) -> None:
    before = write_training_set(warehouse_of(store), SPLIT, CONFIG)
    for number in range(50, 56):
        ship(store, "lab-a", number, "cpu-saturate")
    after = write_training_set(warehouse_of(store, "lab-a"), SPLIT, CONFIG)
    assert set(before.train) < set(after.train)
    assert set(before.id_val) <= set(after.id_val)


def test_a_rejected_episode_changes_neither_side(store: Path) -> None:
    before = hashes(warehouse_of(store))
    ship(store, "lab-a", 50, "io-walk", meta={"schema_version": 2})
    ship(store, "lab-b", 150, "io-walk", drop=["done.marker"])
    assert hashes(warehouse_of(store, "lab-a", "lab-b")) == before


def _first_trainee(training: TrainingSet) -> int:
    return int(training.train[0].episode_id[-2:], 32)


def test_a_reshipped_episode_is_refused_until_the_set_is_made_again(store: Path) -> None:
    warehouse = warehouse_of(store)
    training = write_training_set(warehouse, SPLIT, CONFIG)
    name = ship(store, "lab-a", _first_trainee(training), "io-walk", seconds=45)
    assert name == training.train[0].episode_id
    warehouse = warehouse_of(store, "lab-a")
    with pytest.raises(WarehouseError, match=f"episode {name}"):
        load_cases(warehouse, training.train, Mode.ANY, summary=False, sequences=False)
    again = write_training_set(warehouse, SPLIT, CONFIG)
    assert again.content_hash != training.content_hash
    assert again.training_ids_hash != training.training_ids_hash
    assert load_cases(warehouse, again.train, Mode.ANY, summary=True, sequences=True).keys


def test_the_ids_hash_is_of_the_train_role_alone(store: Path) -> None:
    warehouse = warehouse_of(store)
    one = write_training_set(warehouse, SPLIT, CONFIG)
    number = next(n for n in range(40, 99) if is_id_val(episode_id(n), CONFIG))
    ship(store, "lab-a", number, "io-walk")
    other = write_training_set(warehouse_of(store, "lab-a"), SPLIT, CONFIG)
    assert len(other.id_val) == len(one.id_val) + 1
    assert other.training_ids_hash == one.training_ids_hash
    assert other.content_hash != one.content_hash


def test_statuses_are_part_of_what_a_set_is(store: Path) -> None:
    ship(store, "lab-a", 50, "io-walk", drop=["netflow.jsonl"])
    warehouse = warehouse_of(store, "lab-a")
    with_degraded = write_training_set(warehouse, SPLIT, CONFIG)
    strict = write_training_set(warehouse, SPLIT, SplitConfig(statuses=("accepted",)))
    n_with, n_strict = (len(s.train) + len(s.id_val) for s in (with_degraded, strict))
    assert (n_with, n_strict) == (13, 12)
    assert strict.statuses == ("accepted",)


def test_deploy_has_an_empty_test_side(store: Path) -> None:
    warehouse = warehouse_of(store)
    training = write_training_set(warehouse, "deploy", CONFIG)
    test = write_test_set(warehouse, "deploy", CONFIG)
    assert (training.hosts, test.test, test.hosts) == (("lab-a", "lab-b"), (), ())
    assert load_test_set(warehouse.layout, "deploy") == test


def test_a_refusal_names_the_split_the_reason_and_what_to_do(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    smoke = smoke_warehouse(tmp_path_factory)
    with pytest.raises(SplitRefusedError) as caught:
        plan_from_tables(smoke, "host=lab-z", CONFIG)
    assert str(caught.value) == (
        "refused: no usable episode of host lab-z [where: split host=lab-z] "
        "[do: hosts with usable episodes: lab-a, lab-b]"
    )


def test_leaving_out_the_only_host_is_refused_and_another_split_is_named(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for number in range(12):
        ship(store, "lab-a", number, ("io-walk", "benign")[number % 2])
    warehouse = ingest(store, tmp_path / "data", "lab-a")
    with pytest.raises(SplitRefusedError, match="lab-a") as caught:
        write_training_set(warehouse, "host=lab-a", CONFIG)
    assert "sample" in caught.value.todo
    assert "time" in caught.value.todo
    assert not list((tmp_path / "data").rglob("training_set.json")), "nothing was written"


def test_without_any_episode_the_refusal_says_to_ingest(tmp_path: Path) -> None:
    with pytest.raises(SplitRefusedError) as caught:
        plan_from_tables(Warehouse(tmp_path / "data"), SPLIT, CONFIG)
    assert caught.value.todo == f"ingest a store into {tmp_path / 'data'} first"


def test_declared_lists_name_the_hosts(store: Path) -> None:
    warehouse = warehouse_of(store)
    lists = (HostLists(name="there", train=("lab-b",), test=("lab-a",)),)
    training = write_training_set(warehouse, "hosts:there", CONFIG, lists)
    assert training.hosts == ("lab-b",)
    assert write_test_set(warehouse, "hosts:there", CONFIG, lists).hosts == ("lab-a",)
    with pytest.raises(ConfigurationError, match="hosts:nowhere") as caught:
        plan_from_tables(warehouse, "hosts:nowhere", CONFIG, lists)
    assert caught.value.expected == "there"
