"""The base install alone reads, judges and predicts: in a venv that pip has just built."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cis490_pipeline.edge.detector import Detector, strides
from cis490_pipeline.edge.recording import read_recording
from cis490_pipeline.models.predict import window_scorer
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline_tests.edge.exported import EPISODE, Exported, exported
from cis490_pipeline_tests.end_to_end.conftest import REPOSITORY
from cis490_pipeline_tests.episodes.building import build_store

EXTRAS = (
    "torch",
    "xgboost",
    "sklearn",
    "scipy",
    "polars",
    "deltalake",
    "dagster",
    "safetensors",
    "onnx",
    "aeon",
    "starlette",
    "uvicorn",
)
MODELS = (("gbt", Context.RECENT), ("transformer", Context.RECENT), ("cnn", Context.NONE))

_REFUSE_EXTRAS = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
"""
"""As ``sitecustomize`` it holds for child processes as well."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Exported]:
    return [exported(tmp_path_factory, name, Mode.REALISTIC, c) for name, c in MODELS]


def _run(words: list[object], cwd: Path) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CIS490_", "PYTHON"))}
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


def _must(words: list[object], cwd: Path) -> str:
    done = _run(words, cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _result(stdout: str) -> Mapping[str, Any]:
    return json.loads(stdout.splitlines()[-1])


def _assert_as_the_bundle(result: Mapping[str, Any], one: Exported) -> None:
    opened = one.bundle
    detector = Detector(opened.header, window_scorer(opened))
    expected = [detector.update(new_TC).p_K for new_TC in strides(read_recording(EPISODE).x_TC)]
    found = [list(window["proba"].values()) for window in result["windows"]]
    assert len(found) > 10
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert result["alarm_s"] == detector.alarm_s


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a venv with the base install, from a copy of the sources; return its directory."""
    root = tmp_path_factory.mktemp("base")
    sources = root / "sources"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "cis490_pipeline", sources / "cis490_pipeline", ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, sources / name)
    venv = root / "venv"
    _must([sys.executable, "-m", "venv", "--without-pip", venv], root)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        venv / "bin" / "python",
        "install",
        "--quiet",
        "--no-compile",
    ]
    _must([*pip, "--constraint", REPOSITORY / "constraints.txt", sources], root)
    return venv


@pytest.mark.end_to_end
def test_the_base_install_has_none_of_the_extras(base: Path, tmp_path: Path) -> None:
    program = f"import importlib.util as u; print([n for n in {EXTRAS!r} if u.find_spec(n)])"
    assert _must([base / "bin" / "python", "-c", program], tmp_path).strip() == "[]"


@pytest.mark.end_to_end
def test_it_has_a_table_of_contents_and_says_what_it_lacks(base: Path, tmp_path: Path) -> None:
    cis490 = base / "bin" / "cis490"
    assert "predict" in _must([cis490, "--help"], tmp_path)
    done = _run([cis490, "train", "--help"], tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "is not installed" in done.stderr
    assert "cis490-pipeline[train]" in done.stderr


@pytest.mark.end_to_end
def test_it_judges_a_store(base: Path, tmp_path: Path) -> None:
    store = build_store(tmp_path, {"lab-a": 2}).root
    words = [base / "bin" / "cis490", "validate", store, "--out", tmp_path / "v.parquet", "--json"]
    result = _result(_must(words, tmp_path))
    assert result["episodes"] == 2
    assert result["status"]["accepted"] == 2


@pytest.mark.end_to_end
def test_it_predicts_what_the_bundles_do(
    base: Path, tmp_path: Path, models: list[Exported]
) -> None:
    for one in models:
        words = ["predict", EPISODE, "--model", one.directory, "--onnx", one.onnx, "--json"]
        result = _result(_must([base / "bin" / "cis490", *words], tmp_path))
        _assert_as_the_bundle(result, one)
        assert 0 < result["latency_ms_p50"] <= result["latency_ms_p95"]
        assert 0 < result["rss_bytes"] < 1e9


def _without_extras(words: list[object], cwd: Path) -> str:
    """Run the command of this checkout where the extras cannot be imported."""
    (cwd / "sitecustomize.py").write_text(_REFUSE_EXTRAS)
    program = "from cis490_pipeline.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        env={**os.environ, "PYTHONPATH": f"{cwd}{os.pathsep}{REPOSITORY}"},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_predicting_from_an_onnx_file_imports_none_of_the_extras(
    tmp_path: Path, models: list[Exported]
) -> None:
    one = models[0]
    words = ["predict", EPISODE, "--model", one.directory, "--onnx", one.onnx, "--json"]
    _assert_as_the_bundle(_result(_without_extras(words, tmp_path)), one)


def test_judging_a_store_imports_none_of_the_extras(tmp_path: Path) -> None:
    store = build_store(tmp_path, {"lab-a": 1}).root
    words = ["validate", store, "--out", tmp_path / "v.parquet", "--json"]
    assert _result(_without_extras(words, tmp_path))["status"]["accepted"] == 1
