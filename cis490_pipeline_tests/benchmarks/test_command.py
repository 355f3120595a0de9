"""The command on rows that cost nothing: exit status, JSON, what the table says."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cis490_pipeline_tests.benchmarks import catalog, command
from cis490_pipeline_tests.benchmarks.budgets import BenchmarkError, Line, at_most
from cis490_pipeline_tests.benchmarks.stores import Stores


def good(_: Stores) -> tuple[Line, ...]:
    line = Line(
        what="holds easily",
        reference="nothing",
        unit="×",
        samples=(1.0, 2.0, 3.0),
        budget=at_most(4.0, 1.0),
        absolute={"candidate_cpu_ms": 20.0, "reference_cpu_ms": 10.0},
    )
    return (line,)


def bad(_: Stores) -> tuple[Line, ...]:
    return (Line(what="misses", reference="", unit="MB", samples=(700.0,), budget=at_most(600.0)),)


def broken(stores: Stores) -> tuple[Line, ...]:
    (stores.root / "left-behind").mkdir()
    raise BenchmarkError("the two sides differ")


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, row in (("good", good), ("bad", bad), ("broken", broken)):
        monkeypatch.setitem(catalog.ROWS, name, row)


def invoke(tmp_path: Path, *words: str) -> Result:
    where = ["--quick", "--json", str(tmp_path / "bench.json"), "--work-dir", str(tmp_path)]
    return CliRunner().invoke(command.main, [*where, *words])


@pytest.mark.usefixtures("rows")
def test_a_miss_is_said_loudly_and_is_no_failure(tmp_path: Path) -> None:
    done = invoke(tmp_path, "--rows", "good,bad")
    assert done.exit_code == 0
    assert "MISSED: bad" in done.stdout
    assert "every row holds" not in done.stdout


@pytest.mark.usefixtures("rows")
def test_strict_fails_where_a_row_misses_and_only_there(tmp_path: Path) -> None:
    assert invoke(tmp_path, "--strict", "--rows", "good,bad").exit_code == 1
    holds = invoke(tmp_path, "--strict", "--rows", "good")
    assert holds.exit_code == 0
    assert "every row holds" in holds.stdout


@pytest.mark.usefixtures("rows")
def test_the_file_has_every_figure_of_the_table(tmp_path: Path) -> None:
    assert invoke(tmp_path, "--rows", "good,bad").exit_code == 0
    read = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert read["format_version"] == 1
    assert read["quick"] is True
    assert read["missed"] == ["bad"]
    assert {"cpu", "cores", "ram_bytes", "python", "libraries", "commit"} <= set(read["machine"])
    first, second = (row["lines"][0] for row in read["rows"])
    assert (first["median"], first["low"], first["high"]) == (2.0, 1.0, 3.0)
    assert (first["must"], first["goal"], first["bound"]) == (4.0, 1.0, "at most")
    assert (first["verdict"], second["verdict"]) == ("holds", "misses")
    assert first["absolute"] == {"candidate_cpu_ms": 20.0, "reference_cpu_ms": 10.0}


@pytest.mark.usefixtures("rows")
def test_the_page_has_a_table_row_for_each_line_and_says_what_misses(tmp_path: Path) -> None:
    page = tmp_path / "bench.md"
    assert invoke(tmp_path, "--rows", "good,bad", "--markdown", str(page)).exit_code == 0
    lines = page.read_text("utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 4
    assert {line.count(" | ") for line in table} == {7}
    assert "700 MB | ≤ 600 MB" in table[3]
    assert "| MISSES |" in table[3]
    assert "- MISSED: bad" in lines


@pytest.mark.usefixtures("rows")
def test_what_the_run_made_is_removed_even_where_a_row_breaks(tmp_path: Path) -> None:
    done = invoke(tmp_path, "--rows", "broken")
    assert isinstance(done.exception, BenchmarkError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("rows")
def test_rows_that_were_measured_before_one_breaks_are_kept(tmp_path: Path) -> None:
    assert invoke(tmp_path, "--rows", "bad,broken,good").exception is not None
    read = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert read["asked"] == ["bad", "broken", "good"]
    assert [row["row"] for row in read["rows"]] == ["bad"]


def test_an_unknown_row_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    done = invoke(tmp_path, "--rows", "bytes,speed")
    assert done.exit_code == 2
    assert "no row speed" in done.stderr
    assert "ingest-limit" in done.stderr
