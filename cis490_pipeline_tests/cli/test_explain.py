"""``cis490 explain``: table, JSON and heat map, and what it says when it cannot."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from cis490_pipeline.schema.channels import CHANNELS
from cis490_pipeline_tests.cli.running import Call

SPLIT = ("--split", "host=lab-b")
GBT = ("--family", "gbt", "--mode", "realistic")
ORACLE = {channel.column for channel in CHANNELS if not channel.realistic}


def test_explain_between_train_and_report(call: Call, data: Path) -> None:
    call("train", "--data", data, *SPLIT, *GBT).must_succeed()
    done = call("explain", "--data", data, *SPLIT, *GBT, "--windows", 6, "--json").must_succeed()
    assert set(done.result) == {"top", "json", "svg", "warnings"}
    top = done.result["top"]
    assert all(set(cell) == {"channel", "phase", "attribution"} for cell in top)
    sizes = [cell["attribution"] for cell in top]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0.1
    assert top[0]["channel"] in done.stdout
    assert "with a test host: untested, the split has no test set file" in done.stdout
    written = json.loads(Path(done.result["json"]).read_text("utf-8"))
    assert len(written["channels"]) == 25
    assert not ORACLE & set(written["channels"])
    assert ET.parse(done.result["svg"]).getroot().tag.endswith("svg")
    assert not [name for name in ORACLE if name in Path(done.result["svg"]).read_text("utf-8")]

    call("evaluate", "--data", data, *SPLIT).must_succeed()
    report = call("report", "--data", data, *SPLIT, "--json").must_succeed()
    assert top[0]["channel"] in Path(report.result["html"]).read_text("utf-8")
    (shown,) = json.loads(Path(report.result["json"]).read_text("utf-8"))["explanations"]
    assert shown == written


def test_a_family_without_attribution_is_refused_with_those_that_have_one(
    call: Call, data: Path
) -> None:
    words = ("--family", "majority", "--mode", "any")
    call("train", "--data", data, *SPLIT, *words).must_succeed()
    done = call("explain", "--data", data, *SPLIT, *words)
    done.check_refusal(2, "no attribution", "gbt, mlp, cnn, gru, lstm, transformer, bert, logistic")
    assert not (data / "reports").exists()


def test_a_model_that_was_not_trained_says_what_comes_first(call: Call, data: Path) -> None:
    call("explain", "--data", data, *SPLIT, *GBT).check_refusal(1, "cis490 train")
    call("train", "--data", data, *SPLIT, *GBT).must_succeed()
    done = call("explain", "--data", data, *SPLIT, *GBT, "--context", "recent")
    done.check_refusal(1, "no such model", "context recent")
    done = call("explain", "--data", data, *SPLIT, *GBT, "--seed", 3)
    done.check_refusal(1, "no such model", "seed 3")
