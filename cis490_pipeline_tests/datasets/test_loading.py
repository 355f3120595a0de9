"""Cases are the tables' windows in one order, and nothing of a hidden channel reaches them."""

import random
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs
import pytest
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.facts import episode_facts
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import Member, members_of
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.schema.channels import CHANNELS, Mode, visible_channels
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import STATS
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import CORPUS, copy_of, smoke_warehouse
from cis490_pipeline_tests.episodes.building import (
    add_episode,
    build_episode,
    build_store,
    episode_id,
)
from cis490_pipeline_tests.reference.archive import open_episode
from cis490_pipeline_tests.reference.grid import to_grid

HIDDEN = [c for c in range(46) if c not in visible_channels(Mode.REALISTIC)]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return smoke_warehouse(tmp_path_factory)


@pytest.fixture(scope="module")
def everyone(smoke: Warehouse) -> tuple[Member, ...]:
    return members_of(episode_facts(smoke))


def load(warehouse: Warehouse, members: tuple[Member, ...], mode: Mode) -> Cases:
    return load_cases(warehouse, members, mode, summary=True, sequences=True).cases


def gathered(cases: Cases) -> NDArray[np.float32]:
    assert cases.sequences is not None
    return cases.sequences.gather(np.arange(cases.n_cases, dtype=np.int64))


def as_polars(warehouse: Warehouse) -> pl.DataFrame:
    path = warehouse.tables.path(Table.WINDOW_FEATURES)
    return pl.read_delta(str(path)).sort("episode_id", "window")


def test_cases_are_all_windows_in_the_order_of_episode_and_window(
    smoke: Warehouse, everyone: tuple[Member, ...]
) -> None:
    shuffled = list(everyone)
    random.Random(3).shuffle(shuffled)
    loaded = load_cases(smoke, shuffled, Mode.REALISTIC, summary=False, sequences=False)
    cases, table = loaded.cases, as_polars(smoke)
    assert cases.n_cases == table.height == 785
    assert loaded.keys["episode_id"].to_pylist() == table["episode_id"].to_list()
    assert loaded.keys["window"].to_pylist() == table["window"].to_list()
    assert cases.y_N.tolist() == table["phase"].to_list()
    assert cases.t_center_s_N.tolist() == [5.0 * window + 5.0 for window in table["window"]]
    names = sorted(member.episode_id for member in shuffled)
    assert [names[c] for c in cases.cluster_N] == table["episode_id"].to_list()
    assert (cases.summary_NF, cases.sequences) == (None, None)
    assert cases.n_classes == 5


def test_only_the_members_are_loaded(smoke: Warehouse, everyone: tuple[Member, ...]) -> None:
    some = everyone[5:8]
    loaded = load_cases(smoke, some, Mode.ANY, summary=False, sequences=False)
    assert set(loaded.keys["episode_id"].to_pylist()) == {m.episode_id for m in some}
    assert set(loaded.cases.cluster_N.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("mode", [Mode.REALISTIC, Mode.ORACLE])
def test_summaries_are_the_tables_statistics_of_the_visible_channels(
    smoke: Warehouse, everyone: tuple[Member, ...], mode: Mode
) -> None:
    found = load_cases(smoke, everyone, mode, summary=True, sequences=False).cases.summary_NF
    names = [f"{CHANNELS[c].column}_{stat.value}" for c in visible_channels(mode) for stat in STATS]
    wanted = as_polars(smoke).select(names).to_numpy().astype(np.float32)
    assert found is not None
    assert found.dtype == np.float32
    assert found.shape == (785, 6 * len(visible_channels(mode)))
    np.testing.assert_array_equal(found, wanted)
    assert np.isnan(found).any()  # 12 episodes of lab-b have no netflow: missing, and never zero


@pytest.mark.parametrize("mode", [Mode.REALISTIC, Mode.ORACLE])
def test_sequences_are_the_windows_of_the_reference_grid(
    smoke: Warehouse, everyone: tuple[Member, ...], mode: Mode
) -> None:
    hosts = {fact.episode_id: fact.host_id for fact in episode_facts(smoke)}
    for member in (everyone[2], everyone[-2]):
        loaded = load_cases(smoke, (member,), mode, summary=False, sequences=True)
        name = member.episode_id
        path = CORPUS / "episodes" / hosts[name] / f"{name}.tar.zst"
        grid_TC = to_grid(open_episode(path.read_bytes()))[:, visible_channels(mode)]
        windows = loaded.keys["window"].to_pylist()
        wanted = np.stack([grid_TC[50 * w : 50 * w + 100].T for w in windows])
        np.testing.assert_allclose(gathered(loaded.cases), wanted, rtol=1e-6)


def test_sequences_come_in_the_order_asked_for(
    smoke: Warehouse, everyone: tuple[Member, ...]
) -> None:
    cases = load(smoke, everyone, Mode.REALISTIC)
    assert cases.sequences is not None
    every_NCT = gathered(cases)
    assert every_NCT.shape == (785, 25, 100)
    assert (cases.sequences.n_channels, cases.sequences.n_timepoints) == (25, 100)
    order_B = np.random.default_rng(0).integers(0, 785, size=300)
    np.testing.assert_array_equal(cases.sequences.gather(order_B), every_NCT[order_B])


def poisoned(warehouse: Warehouse, root: Path, value: float) -> Warehouse:
    """Return a copy in which every number of a hidden channel is ``value``."""
    copy = copy_of(warehouse, root)
    rows = copy.tables.read(Table.WINDOW_FEATURES)
    for channel in HIDDEN:
        for stat in STATS:
            name = f"{CHANNELS[channel].column}_{stat.value}"
            column = pa.array(np.full(rows.num_rows, value, dtype=np.float32))
            rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    shutil.rmtree(copy.tables.path(Table.WINDOW_FEATURES))
    copy.tables.append(Table.WINDOW_FEATURES, rows)
    for path in (copy.root / "tensor").rglob("*.f32"):
        x_TC = np.fromfile(path, dtype="<f4").reshape(-1, 46)
        x_TC[:, HIDDEN] = value
        x_TC.tofile(path)
    return copy


@pytest.mark.parametrize("value", [np.nan, 1e30])
def test_nothing_of_a_hidden_channel_reaches_a_realistic_case(
    smoke: Warehouse, everyone: tuple[Member, ...], tmp_path: Path, value: float
) -> None:
    copy = poisoned(smoke, tmp_path / "data", value)
    before, after = (load(w, everyone, Mode.REALISTIC) for w in (smoke, copy))
    assert before.summary_NF is not None
    assert after.summary_NF is not None
    assert before.summary_NF.tobytes() == after.summary_NF.tobytes()
    assert gathered(before).tobytes() == gathered(after).tobytes()
    # the poison is really there: who may see it, sees it
    oracle = load(copy, everyone, Mode.ORACLE)
    assert oracle.summary_NF is not None
    poison_NCT = gathered(oracle)[:, HIDDEN]
    for array in (oracle.summary_NF[:, : 6 * 13], poison_NCT):
        assert np.array_equal(array, np.full_like(array, value), equal_nan=True)


def test_tables_are_read_without_python_in_arrows_threads(smoke: Warehouse) -> None:
    """Arrow's threads outlive a scan; with a file system in Python the process aborts at exit."""
    files = smoke.tables._dataset(Table.WINDOW_FEATURES).filesystem
    assert isinstance(files, pa_fs.SubTreeFileSystem)
    assert isinstance(files.base_fs, pa_fs.LocalFileSystem)


def test_a_family_that_sees_no_channel_gets_none(
    smoke: Warehouse, everyone: tuple[Member, ...]
) -> None:
    cases = load(smoke, everyone, Mode.ANY)
    assert cases.summary_NF is not None
    assert cases.summary_NF.shape == (785, 0)
    assert gathered(cases).shape == (785, 0, 100)


@pytest.mark.parametrize("mode", Mode)
def test_no_members_are_no_cases_and_no_error(smoke: Warehouse, mode: Mode) -> None:
    loaded = load_cases(smoke, (), mode, summary=True, sequences=True)
    cases = loaded.cases
    assert (cases.n_cases, loaded.keys.num_rows) == (0, 0)
    assert cases.summary_NF is not None
    assert cases.summary_NF.shape == (0, 6 * len(visible_channels(mode)))
    assert gathered(cases).shape == (0, len(visible_channels(mode)), 100)


def test_an_episode_shorter_than_a_window_is_a_member_without_cases(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", {"lab-a": 1}).root
    add_episode(store, "lab-a", episode_id(1), build_episode(seconds=5, sample_name="short"))
    add_episode(store, "lab-a", episode_id(2), build_episode(seconds=20, sample_name="long"))
    warehouse = Warehouse(tmp_path / "data")
    ingest_host(EpisodeStore(store), warehouse, "lab-a")
    members = members_of(episode_facts(warehouse))
    assert load(warehouse, (members[1],), Mode.ORACLE).n_cases == 0
    cases = load(warehouse, members, Mode.ORACLE)
    assert set(cases.cluster_N.tolist()) == {0, 2}, "its place stays free"
    assert gathered(cases).shape[0] == cases.n_cases


def test_other_content_under_a_members_id_is_refused_by_name(
    smoke: Warehouse, everyone: tuple[Member, ...]
) -> None:
    changed = Member(episode_id=everyone[3].episode_id, sha256="0" * 64)
    members = (*everyone[:3], changed, *everyone[4:])
    with pytest.raises(WarehouseError, match=f"episode {changed.episode_id}") as caught:
        load_cases(smoke, members, Mode.ANY, summary=False, sequences=False)
    assert caught.value.expected == "0" * 12
    assert caught.value.found == everyone[3].sha256[:12]
    assert "training_set" in caught.value.todo


def test_a_member_that_the_tables_do_not_hold_is_refused_by_name(
    smoke: Warehouse, everyone: tuple[Member, ...]
) -> None:
    stranger = Member(episode_id=type(everyone[0].episode_id)("01" + "Z" * 24), sha256="0" * 64)
    with pytest.raises(WarehouseError, match="episode 01ZZZZ"):
        load_cases(smoke, (*everyone, stranger), Mode.ANY, summary=False, sequences=False)


def shards_of(warehouse: Warehouse) -> list[Path]:
    found = sorted((warehouse.root / "tensor").rglob("*.f32"))
    assert found
    return found


def test_an_absent_shard_is_an_error_that_names_it(
    smoke: Warehouse, everyone: tuple[Member, ...], tmp_path: Path
) -> None:
    copy = copy_of(smoke, tmp_path / "data")
    lost = shards_of(copy)[0]
    lost.unlink()
    with pytest.raises(WarehouseError, match=lost.name) as caught:
        load(copy, everyone, Mode.REALISTIC)
    assert "ingest" in caught.value.todo
    # a family that does not look at the grid does not need it
    summary = load_cases(copy, everyone, Mode.REALISTIC, summary=True, sequences=False)
    assert summary.cases.n_cases == 785


@pytest.mark.parametrize(("cut", "what"), [(3, "no whole number of ticks"), (46 * 4, "too short")])
def test_a_torn_shard_is_an_error_and_never_a_short_window(
    smoke: Warehouse, everyone: tuple[Member, ...], tmp_path: Path, cut: int, what: str
) -> None:
    copy = copy_of(smoke, tmp_path / "data")
    torn = shards_of(copy)[-1]
    torn.write_bytes(torn.read_bytes()[:-cut])
    with pytest.raises(WarehouseError, match=what) as caught:
        load(copy, everyone, Mode.ORACLE)
    assert torn.name in caught.value.where


def test_a_window_beyond_its_episode_is_an_error(
    smoke: Warehouse, everyone: tuple[Member, ...], tmp_path: Path
) -> None:
    copy = copy_of(smoke, tmp_path / "data")
    rows = copy.tables.read(Table.EPISODES)
    ticks = pa.array([n - 50 for n in rows["n_ticks"].to_pylist()], pa.int64())
    rows = rows.set_column(rows.schema.get_field_index("n_ticks"), "n_ticks", ticks)
    shutil.rmtree(copy.tables.path(Table.EPISODES))
    copy.tables.append(Table.EPISODES, rows)
    with pytest.raises(WarehouseError, match="beyond its episode"):
        load(copy, everyone, Mode.ORACLE)


def test_windows_of_a_re_ship_under_way_are_refused(tmp_path: Path) -> None:
    """Its windows are committed before its episode: a reader in between sees both contents."""
    store = EpisodeStore(build_store(tmp_path / "store", {"lab-a": 2}).root)
    warehouse = Warehouse(tmp_path / "data")
    ingest_host(store, warehouse, "lab-a")
    members = members_of(episode_facts(warehouse))
    first = members[0].episode_id
    mine = warehouse.tables.read(Table.WINDOW_FEATURES, where=pc.field("episode_id") == first)
    newer = pa.array(["f" * 64] * mine.num_rows, pa.string())
    mine = mine.set_column(mine.schema.names.index("sha256"), mine.schema.field("sha256"), newer)
    warehouse.tables.replace_episodes(Table.WINDOW_FEATURES, [first], mine)
    with pytest.raises(WarehouseError, match=first):
        load_cases(warehouse, members, Mode.ANY, summary=False, sequences=False)
