"""Difficulty and host probe of a split: measured once for its sets, and in the ledger."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cis490_pipeline.datasets.test_sets import load_test_set
from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.evaluation.on_split import ScoringContext
from cis490_pipeline.evaluation.shift import (
    Shift,
    by_difficulty,
    measure_shift,
    standing_shift,
)
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import FEW, SPLIT, copy_of, plan, smoke_warehouse


@pytest.fixture
def mine(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Warehouse:
    warehouse = copy_of(smoke_warehouse(tmp_path_factory), tmp_path / "data")
    plan(warehouse, SPLIT)
    return warehouse


def measured(warehouse: Warehouse, split: str = SPLIT) -> Shift:
    return measure_shift(warehouse, split, ScoringContext(why="test", bootstrap=FEW))


def readings(warehouse: Warehouse) -> list[str]:
    return [row["why"] for row in warehouse.tables.read(Table.TEST_LEDGER).to_pylist()]


def test_every_test_episode_has_a_difficulty_and_an_unseen_host_is_harder(mine: Warehouse) -> None:
    shift = measured(mine)
    test_ids = [member.episode_id for member in load_test_set(mine.layout, SPLIT).test]
    assert [mode.mode for mode in shift.modes] == [Mode.REALISTIC, Mode.ORACLE]
    for mode in shift.modes:
        assert [one.episode_id for one in mode.episodes] == sorted(test_ids)
        values = [one.difficulty for one in mode.episodes if one.difficulty is not None]
        assert len(values) == len(test_ids)
        assert np.median(values) > 1.2, "another lab lies further away than another episode"
        assert mode.n_train == len(load_training_set(mine.layout, SPLIT).train)
    assert shift.of(Mode.ANY) is shift.modes[0]


def test_the_probe_knows_the_labs_and_says_why_one_host_is_nothing_to_tell(
    mine: Warehouse,
) -> None:
    for mode in measured(mine).modes:
        assert mode.training_hosts.macro_f1 is None
        assert mode.training_hosts.reason == "one host: lab-a"
        assert mode.all_hosts.hosts == ("lab-a", "lab-b")
        assert mode.all_hosts.macro_f1 is not None
        assert (mode.all_hosts.macro_f1.low or 0) > (mode.all_hosts.chance or 1)


def test_it_looks_at_no_label(mine: Warehouse) -> None:
    first = measured(mine)
    (mine.layout.split(SPLIT) / "shift.json").unlink()
    for host in ("lab-a", "lab-b"):
        rows = mine.tables.read(Table.WINDOW_FEATURES, where=pc.field("host_id") == host)
        at = rows.schema.get_field_index("phase")
        none = pa.array([0] * rows.num_rows, rows.schema.field(at).type)
        rows = rows.set_column(at, rows.schema.field(at), none)
        mine.tables.replace_where(Table.WINDOW_FEATURES, f"host_id = '{host}'", rows)
    assert measured(mine) == first


def test_one_measurement_of_two_sets_is_one_reading(mine: Warehouse) -> None:
    assert standing_shift(mine.layout, SPLIT) is None
    first = measured(mine)
    assert measured(mine) == first == standing_shift(mine.layout, SPLIT)
    assert readings(mine) == ["test: channels of training and test set compared"]
    path = mine.layout.split(SPLIT) / "shift.json"
    path.write_text("{", "utf-8")
    assert standing_shift(mine.layout, SPLIT) is None
    assert measured(mine) == first
    assert len(readings(mine)) == 2


def test_deploy_has_training_hosts_and_no_test_to_read(mine: Warehouse) -> None:
    plan(mine, "deploy")
    shift = measured(mine, "deploy")
    assert readings(mine) == []
    assert [mode.episodes for mode in shift.modes] == [(), ()]
    assert shift.modes[0].training_hosts.hosts == ("lab-a", "lab-b")
    assert by_difficulty(None, [], mine.tables.read(Table.PREDICTIONS), FEW) == ()
