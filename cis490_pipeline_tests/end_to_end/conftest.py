"""The installed command, and the servers over what it made.

Not here: the servers (``servers``), the laboratory that other tests start for themselves
(``laboratory``).
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cis490_pipeline_tests.end_to_end.servers import (
    BIN,
    REPOSITORY,
    Dagster,
    environment,
    serving,
    wait_until,
)

__all__ = ["BIN", "REPOSITORY", "Dagster", "Smoke", "environment", "serving", "wait_until"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoke:
    """One finished ``cis490 smoke``."""

    stdout: str
    stderr: str
    result: Mapping[str, Any]


def run_smoke(data: Path) -> Smoke:
    """Run the installed command as a user would, with ``--json``."""
    done = subprocess.run(
        [str(BIN / "cis490"), "smoke", "--data", str(data), "--json"],
        cwd=data.parent,  # not the checkout: nothing may depend on the working directory
        env=environment(data),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Smoke(
        stdout=done.stdout, stderr=done.stderr, result=json.loads(done.stdout.splitlines()[-1])
    )


@pytest.fixture(scope="session")
def smoke_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("smoke") / "data"


@pytest.fixture(scope="session")
def first_smoke(smoke_data: Path) -> Smoke:
    return run_smoke(smoke_data)


@pytest.fixture(scope="session")
def second_smoke(smoke_data: Path, first_smoke: Smoke) -> Smoke:
    assert first_smoke.result["models"]
    return run_smoke(smoke_data)


@pytest.fixture(scope="session")
def dagster(smoke_data: Path, second_smoke: Smoke) -> Iterator[Dagster]:
    """The servers over the smoke's home."""
    assert second_smoke.result["models"]
    with serving(smoke_data, REPOSITORY / "data" / "corpus") as client:
        yield client
