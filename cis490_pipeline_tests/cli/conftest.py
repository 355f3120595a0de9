"""The command line in this process, and a data directory to use it on."""

import sys
from pathlib import Path

import pytest

from cis490_pipeline.cli.main import main
from cis490_pipeline_tests.cli.running import Call, Done
from cis490_pipeline_tests.datasets.smoke import copy_of, smoke_warehouse


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Run ``cis490`` with words, in an empty working directory; the entry point is the real one."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    for name in ("CIS490_DATA", "CIS490_STORE", "CIS490_THREADS"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["cis490", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        said = capsys.readouterr()
        return Done(status=status, stdout=said.out, stderr=said.err)

    return run


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """A data directory that holds the smoke subset, without any set or model."""
    return copy_of(smoke_warehouse(tmp_path_factory), tmp_path / "data").root
