"""The plane of training windows: what it rests on, what it does with what is missing, its file."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cis490_pipeline.datasets.training_sets import load_training_set
from cis490_pipeline.edge.projection import (
    PROJECTION_FILE,
    Projection,
    decode_projection,
    encode_projection,
)
from cis490_pipeline.errors import BundleError, LeakageError
from cis490_pipeline.models.bundle import open_bundle, read_header, read_projection
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.training.projection import fit_projection, projection_of
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import CHEAP, SPLIT, scored_warehouse

_, CLOCK, GBT = CHEAP
N = 25 * 6


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return scored_warehouse(tmp_path_factory)


def bundle_of(warehouse: Warehouse, family: str) -> Path:
    from cis490_pipeline.models.current import fitted_models

    content = load_training_set(warehouse.layout, SPLIT).content_hash
    (found,) = (
        one for one in fitted_models(warehouse.layout, SPLIT, content) if one.family == family
    )
    return ModelRegistry(warehouse.layout.models).find(found.bundle)


def test_a_bundle_carries_the_plane_of_its_training_windows(scored: Warehouse) -> None:
    directory = bundle_of(scored, "gbt")
    _, header = read_header(directory)
    assert PROJECTION_FILE in header.files
    found = read_projection(directory, header)
    train = load_training_set(scored.layout, SPLIT).train
    assert found == fit_projection(scored, train, Mode.REALISTIC)
    assert found is not None
    assert found.n_windows > 100
    assert 0.05 < found.explained[1] <= found.explained[0] < 1
    assert open_bundle(directory).header == header  # the family does not mind the file


def test_a_model_without_channels_has_none(scored: Warehouse) -> None:
    directory = bundle_of(scored, "elapsed_time")
    _, header = read_header(directory)
    assert PROJECTION_FILE not in header.files
    assert read_projection(directory, header) is None


def test_it_cannot_be_fitted_on_windows_of_the_test_set(scored: Warehouse) -> None:
    from cis490_pipeline.datasets.test_sets import load_test_set

    training = load_training_set(scored.layout, SPLIT)
    confined = scored.confined((one.episode_id for one in training.train), "train")
    test = load_test_set(scored.layout, SPLIT).test
    with pytest.raises(LeakageError, match="beyond its training set"):
        fit_projection(confined, test, Mode.REALISTIC)


def plane(rng: np.random.Generator, n: int = 400) -> np.ndarray:
    """Windows on a tilted plane in ten statistics, with some of them missing."""
    axes = np.linalg.qr(rng.normal(size=(10, 2)))[0].T
    x = (rng.normal(size=(n, 2)) * [3.0, 1.0]) @ axes + 0.01 * rng.normal(size=(n, 10))
    x[rng.random(x.shape) < 0.02] = np.nan
    return x.astype(np.float32)


def test_the_first_axis_is_the_one_along_which_windows_differ_most() -> None:
    x = plane(np.random.default_rng(0))
    found = projection_of(x)
    assert found is not None
    assert sum(found.explained) > 0.9
    places = np.array([found.place(row) for row in x])
    assert places[:, 0].std() > places[:, 1].std()
    axes = np.array(found.axes)
    assert np.allclose(axes @ axes.T, np.eye(2), atol=1e-5)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in axes)  # a component has no sign
    assert projection_of(x) == found


def test_what_is_missing_moves_nothing_and_nothing_at_all_is_nowhere() -> None:
    x = plane(np.random.default_rng(1))
    x[:, 3] = np.nan  # never there
    x[:, 4] = 7.0  # never another
    found = projection_of(x)
    assert found is not None
    assert (found.scale[3], found.scale[4]) == (0.0, 0.0)
    row = np.sign(found.centre) * np.expm1(np.abs(found.centre))
    middle = found.place(row.astype(np.float32))
    assert middle == pytest.approx((0.0, 0.0), abs=1e-4)
    half = row.astype(np.float32)
    half[5:] = np.nan
    assert found.place(half) == pytest.approx((0.0, 0.0), abs=1e-4)
    assert found.place(np.full(10, np.nan, dtype=np.float32)) is None
    assert projection_of(np.full((50, 10), 3.0, dtype=np.float32)) is None
    assert projection_of(x[:2]) is None


@given(arrays(np.float32, 10, elements=st.floats(width=32, allow_nan=True, allow_infinity=True)))
def test_every_window_has_a_bounded_place(x: np.ndarray) -> None:
    found = projection_of(plane(np.random.default_rng(2)))
    assert found is not None
    place = found.place(x)
    if place is not None:
        assert np.abs(place).max() <= 3 * np.sqrt(10) + 1e-9


GOOD = Projection(
    centre=(0.0, 1.0), scale=(1.0, 0.0), axes=((1.0, 0.0), (0.0, 1.0)), explained=(0.5, 0.5),
    n_windows=9,
)  # fmt: skip


def test_its_file_says_the_same() -> None:
    assert decode_projection(encode_projection(GOOD), n_statistics=2, where="f") == GOOD


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"format": "x"},
        {"centre": [0.0]},
        {"scale": [1.0, -1.0]},
        {"axes": [[1.0, 0.0]]},
        {"axes": [[1.0, None], [0.0, 1.0]]},
        {"scale": [1e400, 1.0]},
    ],
)
def test_a_hostile_file_is_refused(changes: dict[str, object]) -> None:
    data = msgspec.json.encode({**msgspec.to_builtins(GOOD), **changes})
    if 1e400 in changes.get("scale", []):  # type: ignore[operator]
        data = data.replace(b"null", b"1e400")
    with pytest.raises(BundleError, match="projection"):
        decode_projection(data, n_statistics=2, where="f")
