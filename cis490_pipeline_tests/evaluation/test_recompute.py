"""``RECOMPUTE.md`` as it stands: each block gives the number of the evaluation's JSON.

A new section of the document needs a test here that names it; ``test_every_section_is_checked``
says which one is missing.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import cis490_pipeline.evaluation
from cis490_pipeline.evaluation.comparison import compare
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline_tests.datasets.smoke import SPLIT, copy_of, scored_warehouse
from cis490_pipeline_tests.evaluation.made_up import FAST, evaluations_of, key_of, split_table

DOCUMENT: Final = Path(cis490_pipeline.evaluation.__file__).with_name("RECOMPUTE.md")
EXACT: Final = {"rel": 1e-9, "abs": 1e-9}


def sections() -> dict[str, str]:
    """Return the Python block of each section that has one."""
    _, *parts = DOCUMENT.read_text("utf-8").split("\n## ")
    found = {
        part.splitlines()[0]: re.findall(r"^```python\n(.*?)^```$", part, re.S | re.M)
        for part in parts
    }
    assert all(len(blocks) <= 1 for blocks in found.values())
    return {title: blocks[0] for title, blocks in found.items() if blocks}


def run(source: str, names: dict[str, Any]) -> Any:
    """Execute a block and return the value of its last line, which must be an expression."""
    *statements, last = ast.parse(source).body
    assert isinstance(last, ast.Expr), source
    exec(compile(ast.Module(statements, []), DOCUMENT.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), DOCUMENT.name, "eval"), names)


class Recomputed:
    """Values of the blocks by title, and the JSON that they are held against."""

    def __init__(self, root: Path) -> None:
        self.names: dict[str, Any] = {}
        self.values = {title: run(source, self.names) for title, source in sections().items()}
        warehouse = root / "data" / "warehouse"
        stem = warehouse / "splits" / SPLIT / "evaluations" / "gbt.realistic.none.0.json"
        self.model = json.loads(stem.read_text())["evaluation"]
        text = (warehouse / "reports" / SPLIT / "comparison.json").read_text()
        self.comparison = json.loads(text)

    def of(self, title: str) -> Any:
        return self.values[title]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recomputed]:
    place = tmp_path_factory.mktemp("elsewhere")
    (place / "data").mkdir()
    warehouse = copy_of(scored_warehouse(tmp_path_factory), place / "data" / "warehouse")
    publish_comparison(warehouse, SPLIT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        yield Recomputed(place)


def test_rows_and_confusion(found: Recomputed) -> None:
    assert found.of("Rows of one model") == found.model["n_windows"]
    assert found.of("Confusion matrix").tolist() == found.model["confusion"]


def test_each_phase(found: Recomputed) -> None:
    phases = found.of("Precision, recall and F1 of each phase").to_dicts()
    assert len(phases) == 5
    for one, wanted in zip(phases, found.model["classes"], strict=True):
        assert one["real"] == wanted["n_windows"]
        assert one["precision"] == pytest.approx(wanted["precision"], **EXACT)
        assert one["recall"] == pytest.approx(wanted["recall"], **EXACT)
        assert one["f1"] == pytest.approx(wanted["f1"]["point"], **EXACT)


def test_macro_f1_and_its_slices(found: Recomputed) -> None:
    ours = found.of("Macro F1, also of each profile and host, and on id_val")
    assert ours["test"] == pytest.approx(found.model["macro_f1"]["point"], **EXACT)
    for name in ("profiles", "hosts"):
        wanted = {
            one["name"]: one["macro_f1"]["point"]
            for one in found.model[name]
            if one["macro_f1"] is not None
        }
        assert ours[name] == pytest.approx(wanted, **EXACT)
    (model,) = (m for m in found.comparison["models"] if m["key"]["family"] == "gbt")
    assert ours["id_val"] == pytest.approx(model["id_val_macro_f1"], **EXACT)


def test_scores_of_probabilities(found: Recomputed) -> None:
    (ours,) = found.of("Accuracy, Brier, log-loss and calibration error").to_dicts()
    assert ours == pytest.approx({name: found.model[name] for name in ours}, **EXACT)
    assert set(ours) == {"accuracy", "brier", "log_loss", "ece"}


def test_intervals_and_what_stands_beside_them(found: Recomputed) -> None:
    wanted = found.model["macro_f1"]
    for title, names in {
        "The interval of macro F1": ("low", "high"),
        "BCa": ("bca_low", "bca_high"),
        "Sandwich standard error and design effect": ("standard_error", "design_effect"),
    }.items():
        assert found.of(title) == pytest.approx([wanted[name] for name in names], **EXACT)


def test_difference_p_and_holm(found: Recomputed) -> None:
    against_time = [
        one for one in found.comparison["differences"] if one["tests"] == "against elapsed_time"
    ]
    (gbt,) = (one for one in against_time if one["first"]["family"] == "gbt")
    wanted = [gbt["difference"][name] for name in ("point", "low", "high")]
    assert found.of("A paired difference") == pytest.approx(wanted, **EXACT)
    assert found.of("Its permutation p") == pytest.approx(gbt["p"], **EXACT)
    corrected: pl.DataFrame = found.of("Holm's correction")
    ours = {row["family"]: row["p_holm"] for row in corrected.to_dicts()}
    theirs = {one["first"]["family"]: one["p_holm"] for one in against_time}
    assert ours == pytest.approx(theirs, **EXACT)
    assert len(ours) == 2


def _rows(table: pa.Table, names: dict[str, Any]) -> pl.DataFrame:
    frame = pl.DataFrame(pl.from_arrow(table)).filter(role="test")
    said = pl.concat_list(names["P"]).list.arg_max().cast(pl.Int8)
    return frame.with_columns(said=said).sort("episode_id", "window")


def test_seeds_are_null_for_one_and_the_lines_hold_for_three(found: Recomputed) -> None:
    assert found.of("Several seeds") is None
    assert found.comparison["seeds"] == []
    names, keys = found.names, [key_of("cnn", seed=seed) for seed in range(3)]
    table = split_table({key: (0.5, 0.4 + 0.2 * key.seed) for key in keys})
    wanted = compare(evaluations_of(table, keys), table, config=FAST).seeds[0].macro_f1
    config, rows, of = msgspec.to_builtins(FAST), _rows(table, names), np.ones(5, dtype=bool)
    drawn = [
        names["draw"](names["per_episode"](rows.filter(seed=key.seed)), config, of) for key in keys
    ]
    ours = names["ends"](names["draw_seeds"](drawn, config), config, 24)
    assert ours == pytest.approx([wanted.low, wanted.high], **EXACT)


def test_hosts_are_null_for_one_and_the_lines_hold_for_six(found: Recomputed) -> None:
    assert found.of("Hosts and episodes") is None
    assert found.model["macro_f1"]["across_hosts"]["reason"]
    names, key = found.names, key_of("gbt")
    table = split_table({key: (0.5, 0.6)}, hosts=tuple("bcdefg"), n_episodes=30)
    (evaluation,) = evaluations_of(table, [key])
    wanted, config = evaluation.macro_f1.across_hosts, msgspec.to_builtins(FAST)
    counts, of = names["per_episode"](_rows(table, names)), np.ones(5, dtype=bool)
    values = names["draw_hosts"](counts, np.arange(30) % 6, config, of)
    assert wanted is not None
    assert names["ends"](values, config, 6) == pytest.approx([wanted.low, wanted.high], **EXACT)


def test_every_section_is_checked_and_is_short(request: pytest.FixtureRequest) -> None:
    checks = Path(request.path).read_text("utf-8")
    for title, source in sections().items():
        assert f'"{title}"' in checks, title
        blocks = re.split(r"\n\n\n?(?=def |[a-z{])", source.strip())
        lines = [[line for line in one.splitlines() if line.strip()] for one in blocks]
        own = [sum("import " not in line for line in one) for one in lines]
        assert max(own) <= 12, title


def test_the_same_lines_give_the_interval_of_every_profile_redraws_and_all(
    found: Recomputed,
) -> None:
    names, tested = found.names, [one for one in found.model["profiles"] if one["macro_f1"]]
    for one in tested:
        counts = names["per_episode"](names["rows"].filter(profile=one["name"]))
        of = counts.sum((0, 2)) > 0
        config = found.model["bootstrap"]
        ours = names["ends"](names["draw"](counts, config, of), config, len(counts))
        wanted = [one["macro_f1"]["low"], one["macro_f1"]["high"]]
        assert ours == pytest.approx(wanted, **EXACT), one["name"]
    assert sum(one["macro_f1"]["n_redrawn"] for one in tested) > 0
