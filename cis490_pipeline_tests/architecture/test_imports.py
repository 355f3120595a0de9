"""What an import brings with it, looked at in a fresh interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LEARNERS = ("torch", "xgboost", "sklearn", "captum", "matplotlib")


def imported_by(statement: str, home: Path) -> frozenset[str]:
    """Return the modules that are loaded once a statement was executed."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=home,
        env={**os.environ, "CIS490_DATA": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


def test_the_definitions_load_no_learning_library(tmp_path: Path) -> None:
    loaded = imported_by("import cis490_pipeline.definitions", tmp_path)
    assert "dagster" in loaded
    assert "cis490_pipeline.training.on_split" in loaded
    assert loaded.isdisjoint(LEARNERS)


def test_loading_the_definitions_writes_nothing(tmp_path: Path) -> None:
    assert imported_by("import cis490_pipeline.definitions", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "module",
    ["training.on_split", "training.loop", "training.boosting", "models.catalog", "models.bundle"],
)
def test_what_fits_a_model_never_meets_a_test_set(tmp_path: Path, module: str) -> None:
    loaded = imported_by(f"import cis490_pipeline.{module}", tmp_path)
    assert f"cis490_pipeline.{module}" in loaded
    assert "cis490_pipeline.datasets.test_sets" not in loaded
    assert not [name for name in loaded if name.startswith("cis490_pipeline.evaluation")]


def test_who_scores_does_meet_it(tmp_path: Path) -> None:
    """The check above can fail."""
    loaded = imported_by("import cis490_pipeline.evaluation.on_split", tmp_path)
    assert "cis490_pipeline.datasets.test_sets" in loaded


def test_the_table_of_contents_of_the_command_line_is_light(tmp_path: Path) -> None:
    statement = (
        "from click.testing import CliRunner\n"
        "from cis490_pipeline.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0"
    )
    loaded = imported_by(statement, tmp_path)
    assert loaded.isdisjoint({*LEARNERS, "dagster", "pyarrow", "polars", "deltalake", "numpy"})


@pytest.mark.parametrize("package", ["schema", "episodes", "validation", "telemetry", "splits"])
def test_lower_layers_load_nothing_that_learns_or_orchestrates(
    tmp_path: Path, package: str
) -> None:
    statement = (
        "import importlib, pkgutil\n"
        f"import cis490_pipeline.{package} as package\n"
        "for one in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(one.name)"
    )
    loaded = imported_by(statement, tmp_path)
    assert sum(name.startswith(f"cis490_pipeline.{package}.") for name in loaded) >= 2
    assert loaded.isdisjoint({*LEARNERS, "dagster", "click", "cis490_pipeline.settings"})
