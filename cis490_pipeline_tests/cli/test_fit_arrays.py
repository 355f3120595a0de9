"""``cis490 fit-arrays``: any family on plain arrays, and a sentence for everything else."""

from pathlib import Path

import numpy as np
import pytest

from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline_tests.cli.running import Call

LABELS = np.array([-7, 3, 1000])
SLOW = {"mlp", "cnn", "gru", "lstm", "transformer", "bert", "minirocket"}
"""Fitted on arrays in the conformance battery, quickly; here their defaults would take long."""
QUICK = [spec.name for spec in FAMILIES if spec.name not in SLOW]


def arrays(n_cases: int, seed: int, n_timepoints: int = 24) -> dict[str, np.ndarray]:
    """Return two channels, of which the first tells the class, with unequal lengths."""
    generator = np.random.default_rng(seed)
    label_N = LABELS[np.arange(n_cases) % 3]
    x_NCT = generator.normal(size=(n_cases, 2, n_timepoints))
    x_NCT[:, 0] += 4.0 * (np.arange(n_cases) % 3)[:, None]
    for case, length in enumerate(generator.integers(5, n_timepoints + 1, n_cases)):
        x_NCT[case, :, length:] = np.nan
    return {"x": x_NCT, "y": label_N}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    np.savez(tmp_path / "train.npz", **arrays(60, 0))
    np.savez(tmp_path / "test.npz", **arrays(30, 1))
    return tmp_path / "train.npz", tmp_path / "test.npz"


@pytest.mark.parametrize("name", QUICK)
def test_every_family_gives_scores_and_its_hyper_parameters(
    call: Call, files: tuple[Path, Path], name: str
) -> None:
    result = call("fit-arrays", name, *files, "--json").must_succeed().result
    assert {"accuracy", "macro_f1", "seconds", "hyper_parameters"} <= set(result)
    blind = name in ("majority", "elapsed_time", "grammar_only", "permuted_labels")
    assert (result["accuracy"] > 0.5) is not blind
    assert 0 < result["macro_f1"] <= 1


def test_the_same_seed_gives_the_same_scores_and_summary_is_the_default(
    call: Call, files: tuple[Path, Path]
) -> None:
    words = ("fit-arrays", "knn", *files, "--seed", 5, "--json")
    first, second = (call(*words).must_succeed().result for _ in range(2))
    chosen = call(*words, "--input", "summary").must_succeed().result
    raw = call(*words, "--input", "raw").must_succeed().result
    assert first["accuracy"] == second["accuracy"] == chosen["accuracy"]
    assert (first["input"], raw["input"]) == ("summary", "raw")


def test_a_network_fits_with_its_defaults(call: Call, files: tuple[Path, Path]) -> None:
    result = call("fit-arrays", "mlp", *files, "--json").must_succeed().result
    assert result["accuracy"] > 0.9


def test_test_cases_may_be_shorter_but_not_longer(call: Call, tmp_path: Path, files) -> None:
    np.savez(tmp_path / "short.npz", **arrays(30, 1, n_timepoints=12))
    assert call("fit-arrays", "gbt", files[0], tmp_path / "short.npz").status == 0
    done = call("fit-arrays", "gbt", tmp_path / "short.npz", files[1])
    done.check_refusal(1, "2 channels × at most 12 timepoints", "2 channels × 24 timepoints")


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        ({"y": np.full(60, 4)}, {}, ["one class only"]),
        ({"y": np.arange(60)}, {"y": np.arange(30)}, ["id_val is empty"]),
        ({}, {"y": np.full(30, 8)}, ["a class that the training cases lack", "test.npz", "8"]),
        ({"x": None}, {}, ["array x is absent", "train.npz"]),
        ({}, {"x": np.zeros((30, 24))}, ["2 dimensions", "test.npz"]),
        ({"x": np.full((60, 2, 24), np.inf)}, {}, ["infinite", "train.npz"]),
        ({"x": np.zeros((60, 2, 24), dtype=object)}, {}, ["cannot be read", "train.npz"]),
        ({"y": np.zeros(9, dtype=int)}, {}, ["x and y differ in length", "train.npz"]),
    ],
)
def test_bad_input_ends_with_a_sentence(call: Call, tmp_path: Path, train, test, words) -> None:
    for name, base, change in (("train", arrays(60, 0), train), ("test", arrays(30, 1), test)):
        kept = {key: array for key, array in {**base, **change}.items() if array is not None}
        np.savez(tmp_path / f"{name}.npz", **kept)
    done = call("fit-arrays", "gbt", tmp_path / "train.npz", tmp_path / "test.npz", "--json")
    done.check_refusal(1, *words)


def test_an_unknown_family_or_input_is_a_usage_error(call: Call, files) -> None:
    assert call("fit-arrays", "perceptron", *files).status == 2
    assert call("fit-arrays", "gbt", *files, "--input", "pictures").status == 2
    assert call("fit-arrays", "gbt", files[0], files[1].with_name("nosuch.npz")).status == 2
