"""A store in which some tarballs kill or hang the decoder, and workers that are so decoded."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cis490_pipeline.ingest import child
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.ingest.poisoned_worker import COMMAND, VARIABLE


def tarball(store: Path, host: str, number: int) -> Path:
    return store / "episodes" / host / f"{episode_id(number)}.tar.zst"


def poison(
    monkeypatch: pytest.MonkeyPatch, store: Path, kinds: Mapping[int, str], host: str = "lab-a"
) -> None:
    """Have workers of this process stumble over these episodes (numbers), each in its way."""
    by_sha = {
        hashlib.sha256(tarball(store, host, number).read_bytes()).hexdigest(): kind
        for number, kind in kinds.items()
    }
    monkeypatch.setenv(VARIABLE, json.dumps(by_sha))
    monkeypatch.setattr(child, "WORKER", COMMAND)


def verdicts(data: Path) -> dict[str, tuple[str, list[str]]]:
    """Return episode id -> status and reasons."""
    rows = Warehouse(data).tables.read(Table.VALIDATION_INDEX).to_pylist()
    assert len({row["episode_id"] for row in rows}) == len(rows)
    return {row["episode_id"]: (row["status"], row["reasons"]) for row in rows}


def without(content: Mapping[str, Any], *numbers: int) -> dict[str, Any]:
    """Return the content of a warehouse without these episodes."""
    ids = {episode_id(number) for number in numbers}
    tables = {
        name: [row for row in rows if row["episode_id"] not in ids]
        for name, rows in content.items()
        if name != "grids"
    }
    return {**tables, "grids": {k: v for k, v in content["grids"].items() if k not in ids}}
