"""The README's snippets for other tools, run as they stand against a small warehouse."""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pytest

from cis490_pipeline.quality.alerts import AlertsReading
from cis490_pipeline.reporting.publish_data import publish_data_card
from cis490_pipeline.schema.channels import N_CHANNELS
from cis490_pipeline.schema.tables import VALIDATION_COLUMNS, Table
from cis490_pipeline_tests.datasets.smoke import copy_of, scored_warehouse
from cis490_pipeline_tests.shadow.watched import watched_warehouse

README: Final = Path(__file__).resolve().parents[2] / "README.md"
SECTION: Final = "## Tables for other tools"


def snippets() -> list[str]:
    """Return the fenced Python blocks of the section."""
    text = README.read_text("utf-8")
    assert text.count(f"\n{SECTION}\n") == 1
    section = text.split(f"\n{SECTION}\n")[1].split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", section, flags=re.DOTALL | re.MULTILINE)


def run(source: str, names: dict[str, Any]) -> object:
    """Execute a block and return the value of its last line, which must be an expression."""
    *statements, last = ast.parse(source).body
    assert isinstance(last, ast.Expr), source
    exec(compile(ast.Module(statements, []), "README.md", "exec"), names)
    return eval(compile(ast.Expression(last.value), "README.md", "eval"), names)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run all blocks one after the other, in a directory where ``data/warehouse`` is a warehouse.

    Yields
    ------
    dict
        Source of a block → its value.
    """
    place = tmp_path_factory.mktemp("elsewhere")
    (place / "data").mkdir()
    warehouse = copy_of(scored_warehouse(tmp_path_factory), place / "data" / "warehouse")
    publish_data_card(warehouse, [], AlertsReading(alerts=(), n_damaged=0))
    elsewhere = watched_warehouse(tmp_path_factory).tables.path(Table.SHADOW_SCORES)
    shutil.copytree(elsewhere, warehouse.tables.path(Table.SHADOW_SCORES))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        names: dict[str, Any] = {}
        yield {source: run(source, names) for source in snippets()}


def test_every_snippet_finds_something(results: dict[str, Any]) -> None:
    assert len(results) == len(snippets()) >= len(Table) + 3
    for source, value in results.items():
        if isinstance(value, pl.DataFrame):
            assert value.height > 0, source
            assert value.width > 1, source
        else:
            assert isinstance(value, np.ndarray), source
            assert value.size > 0, source


@pytest.mark.parametrize("table", list(Table))
def test_every_table_has_two_lines_of_polars(table: Table) -> None:
    (block,) = (s for s in snippets() if f'scan_delta("data/warehouse/tables/{table.value}")' in s)
    lines = [line for line in block.splitlines() if line and not line.startswith("import ")]
    assert len(lines) == 2


def test_the_snippets_count_what_is_there(results: dict[str, Any]) -> None:
    by_start = {source.strip().splitlines()[-1]: value for source, value in results.items()}
    verdicts = next(v for k, v in by_start.items() if k.startswith("verdicts."))
    assert verdicts.rows() == [
        ("lab-a", "accepted", 24),
        ("lab-b", "accepted", 12),
        ("lab-b", "degraded", 12),
    ]
    missing = next(v for k, v in by_start.items() if k.startswith("summaries."))
    assert missing.width == 1 + 11
    assert dict(missing.select("host_id", "netflow_tcp_syn_missing").iter_rows())["lab-b"] == 0.5
    exported = next(v for k, v in by_start.items() if k.startswith("exported."))
    assert exported.height == 48
    assert set(exported.columns) <= set(VALIDATION_COLUMNS.names)
    grid = next(v for v in results.values() if isinstance(v, np.ndarray))
    assert grid.ndim == 2
    assert grid.shape[1] == N_CHANNELS
    assert np.isfinite(grid).any()
