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
from cis490_pipeline.metrics.chance import chance_macro_f1
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


def test_a_share_of_windows_and_the_bins(found: Recomputed) -> None:
    wanted = found.model["measures"]["calibration"]
    ends = [wanted["accuracy"]["low"], wanted["accuracy"]["high"]]
    assert found.of("Intervals of other figures") == pytest.approx(ends, **EXACT)
    bins = {one["bin"]: one for one in found.of("Reliability").to_dicts()}
    assert len(bins) > 3
    for number, one in enumerate(wanted["bins"]):
        ours = bins.get(number, {"len": 0, "sure": None, "right": None})
        assert ours["len"] == one["n_windows"]
        if one["n_windows"]:
            assert ours["sure"] == pytest.approx(one["mean_probability"], **EXACT)
            assert ours["right"] == pytest.approx(one["accuracy"], **EXACT)


def test_detection_and_time_to_detect(found: Recomputed) -> None:
    wanted = found.model["measures"]["detection"]["found"]
    ours = found.of("Detection and time to detect")
    assert found.of("The course of an episode") == wanted["n_infected"] > 5
    assert ours["n_detected"] == wanted["n_detected"] > 0
    for name in ("rate", "median_s", "mean_s"):
        theirs = wanted[name]["point"]
        known = np.inf if theirs is None else theirs  # half of them were never seen detected
        assert ours[name] == pytest.approx(known, **EXACT), name
    for point in wanted["curve"]:
        assert ours["curve"](point["t_s"]) == pytest.approx(point["detected"], **EXACT)


def test_false_alarms_and_base_rates(found: Recomputed) -> None:
    wanted = found.model["measures"]["detection"]
    assert found.of("The alarm, window by window") > 0
    for name, ours in found.of("False alarms").items():
        theirs = wanted["false_alarms"][name]
        assert ours == pytest.approx({key: theirs[key] for key in ours}, **EXACT), name
    (at_rate,) = found.of("Precision and alarms a day at a base rate").to_dicts()
    theirs = wanted["base_rates"][0]
    assert theirs["base_rate"] == 0.01
    assert at_rate["precision"] == pytest.approx(theirs["precision"]["point"], **EXACT)
    assert at_rate["a_day"] == pytest.approx(theirs["alarms_per_host_day"]["point"], **EXACT)


def test_ranking_purity_and_the_worst(found: Recomputed) -> None:
    measures = found.model["measures"]
    (ranking,) = found.of("Ranking").to_dicts()
    wanted = measures["ranking"]
    average = wanted["average_precision"]["point"]
    assert ranking["average_precision"] == pytest.approx(average, **EXACT)
    assert wanted["at_fpr"][0]["fpr"] == 0.1
    assert ranking["tpr"] == pytest.approx(wanted["at_fpr"][0]["tpr"]["point"], **EXACT)
    by_purity = found.of("F1 by label purity")
    assert set(by_purity) == {one["purity"] for one in measures["purities"] if one["n_windows"]}
    for one in measures["purities"]:
        if one["n_windows"]:
            theirs = (one["macro_f1"]["point"], one["accuracy"]["point"])
            assert by_purity[one["purity"]] == pytest.approx(theirs, **EXACT)
    (profile,) = (one for one in measures["worst"] if one["kind"] == "profile")
    lowest = found.of("The worst profile")
    theirs = None if profile["name"] is None else (profile["name"], profile["macro_f1"]["point"])
    assert lowest == theirs


def test_rejection_and_risk(found: Recomputed) -> None:
    selective = found.model["selective"]
    (ours,) = found.of("Conformal rejection").to_dicts()
    level = selective["rejection"]["levels"][0]
    assert level["alpha"] == 0.2
    names = {"covered": "coverage", "size": "set_size"}
    wanted = {name: level[names.get(name, name)]["point"] for name in ours}
    assert ours == pytest.approx(wanted, **EXACT)
    risk, found_risk = selective["risk_coverage"], found.of("Risk over coverage")
    assert found_risk["aurc"] == pytest.approx(risk["aurc"]["point"], **EXACT)
    (half,) = (one for one in risk["points"] if one["asked"] == 0.5)
    assert found_risk["half"] == pytest.approx(half["error"]["point"], **EXACT)


def test_chance_is_that_of_the_control(found: Recomputed) -> None:
    matrix = np.array(found.model["confusion"])
    assert found.of("Chance, for the controls") == pytest.approx(chance_macro_f1(matrix), **EXACT)


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


def places(value: Any, path: str = "") -> Iterator[str]:
    """Yield the place of every number in a JSON value, ``[]`` for the elements of a list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from places(inner, f"{path}[]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def claims() -> dict[str, str]:
    """Return the place patterns of the document's table, and what each line names."""
    table = DOCUMENT.read_text("utf-8").partition("## Which section gives which number")[2]
    lines = re.findall(r"^\| (`.*`) \| (.*) \|$", table, re.M)
    return {place: named for cell, named in lines for place in re.findall(r"`([^`]+)`", cell)}


def _pattern(place: str) -> re.Pattern[str]:
    return re.compile(re.escape(place).replace(r"\*", ".*"))


def test_every_number_of_an_evaluation_is_given_by_some_lines(found: Recomputed) -> None:
    numbers, titles = set(places(found.model)), set(sections())
    assert len(numbers) > 100
    patterns = {_pattern(place): named for place, named in claims().items()}
    unclaimed = {n for n in numbers if not any(p.fullmatch(n) for p in patterns)}
    assert not unclaimed, "say in RECOMPUTE.md which lines give these"
    reasons = ("settings: ", "the bundle: ")
    assert all(named in titles or named.startswith(reasons) for named in patterns.values())
    idle = [p.pattern for p in patterns if not any(p.fullmatch(n) for n in numbers)]
    assert not idle, "no number is there"


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
