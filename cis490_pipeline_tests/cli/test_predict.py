"""``export`` and ``predict``: what they print, and what they say where they cannot."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline_tests.cli.running import Call
from cis490_pipeline_tests.edge.exported import EPISODE, Exported, exported, fitted
from cis490_pipeline_tests.episodes.building import build_episode

PREDICTED = {"window", "t_center_s", "phase", "label", "proba"}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(tmp_path_factory, "gbt", Mode.REALISTIC, Context.RECENT)


def _proba(result: dict) -> np.ndarray:
    return np.array([list(window["proba"].values()) for window in result["windows"]])


def test_export_writes_a_file_that_predicts_what_the_bundle_does(
    call: Call, one: Exported, tmp_path: Path
) -> None:
    data, prefix = one.warehouse.root, one.directory.name[:12]
    file = tmp_path / "model.onnx"
    done = call("export", prefix, "--data", data, "--onnx", file, "--json").must_succeed()
    assert {"max_abs_diff", "bytes"} <= set(done.result)
    assert 0 <= done.result["max_abs_diff"] <= 1e-4
    assert done.result["bytes"] == file.stat().st_size

    bundle = call("predict", EPISODE, "--model", one.directory, "--json").must_succeed().result
    device = call("predict", EPISODE, "--onnx", file, "--json").must_succeed().result
    both = call("predict", EPISODE, "--model", prefix, "--data", data, "--onnx", file, "--json")
    assert {"windows", "alarm_s"} <= set(bundle)
    assert len(bundle["windows"]) == len(device["windows"]) > 10
    for k, window in enumerate(bundle["windows"]):
        assert set(window) == PREDICTED
        assert (window["window"], window["t_center_s"]) == (k, 5.0 * k + 5.0)
        assert list(window["proba"]) == [phase.value for phase in PHASES]
        assert window["phase"] == max(window["proba"], key=window["proba"].__getitem__)
    np.testing.assert_allclose(_proba(bundle), _proba(device), atol=1e-4)
    np.testing.assert_allclose(_proba(bundle).sum(axis=1), 1.0, atol=1e-9)
    assert bundle["alarm_s"] == device["alarm_s"]
    assert both.must_succeed().result["windows"] == device["windows"]
    assert bundle["windows"][0]["label"] == "clean"


def test_people_get_a_table_the_alarm_and_what_it_costs(call: Call, one: Exported) -> None:
    done = call("predict", EPISODE, "--onnx", one.onnx).must_succeed()
    assert done.stdout.startswith("gate: accepted\n")
    assert "gbt/realistic/recent" in done.stdout
    *_, alarm, cost = done.stdout.splitlines()
    assert alarm.startswith("alarm: ")
    assert "2 of 3 windows above" in alarm
    assert "(p50)" in cost
    assert "(p95)" in cost
    assert "RSS" in cost


@pytest.mark.parametrize("damage", ["torn", "text"])
def test_a_tarball_that_cannot_be_opened_gets_its_verdict(
    call: Call, one: Exported, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "odd.tar.zst"
    path.write_bytes(EPISODE.read_bytes()[:-50] if damage == "torn" else b"not a tarball at all")
    done = call("predict", path, "--onnx", one.onnx, "--json").must_succeed()
    assert done.stdout.startswith("gate: error: open-failed:")
    assert "nothing is predicted" in done.stdout
    assert (done.result["status"], done.result["windows"]) == ("error", [])
    assert done.result["alarm_s"] is None
    assert done.result["latency_ms_p50"] is None


def test_a_rejected_episode_gets_its_reasons(call: Call, one: Exported, tmp_path: Path) -> None:
    path = tmp_path / "rejected.tar.zst"
    path.write_bytes(build_episode(meta={"schema_version": 2}))
    done = call("predict", path, "--onnx", one.onnx, "--json").must_succeed()
    assert done.result["status"] == "rejected"
    assert done.result["reasons"] == ["schema-version:2"]
    assert done.result["windows"] == []


def test_an_episode_shorter_than_a_window_has_none(
    call: Call, one: Exported, tmp_path: Path
) -> None:
    path = tmp_path / "short.tar.zst"
    path.write_bytes(build_episode(seconds=4, drop=["netflow.jsonl"]))
    done = call("predict", path, "--onnx", one.onnx, "--json").must_succeed()
    assert (done.result["status"], done.result["windows"]) == ("degraded", [])
    assert "shorter than a window" in done.stdout


def test_without_a_model_it_is_a_mistake_of_use(call: Call) -> None:
    done = call("predict", EPISODE)
    assert done.status == 2
    assert "--model BUNDLE, or --onnx FILE" in done.stderr


def test_an_onnx_file_of_another_bundle_is_refused(
    call: Call, one: Exported, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = exported(tmp_path_factory, "mlp", Mode.REALISTIC, Context.NONE)
    done = call("predict", EPISODE, "--model", other.directory, "--onnx", one.onnx)
    done.check_refusal(1, "another bundle", other.directory.name[:12], one.directory.name[:12])


def test_hostile_files_end_in_one_sentence(call: Call, one: Exported, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(one.onnx.read_bytes()[:-1000])
    call("predict", EPISODE, "--onnx", path).check_refusal(1, "not an ONNX file", str(path))
    model = onnx.load(one.onnx)
    header = json.loads(model.metadata_props[0].value)
    header["schema"]["channels"][17]["kind"] = "counter"
    model.metadata_props[0].value = json.dumps(header, separators=(",", ":"))
    onnx.save(model, path)
    done = call("predict", EPISODE, "--onnx", path)
    done.check_refusal(1, "made for another feature schema", "kind is 'counter' in the artifact")
    call("predict", EPISODE, "--onnx", tmp_path / "none.onnx").check_refusal(1, "cannot be read")


def test_a_bundle_that_is_absent_is_told(call: Call, tmp_path: Path) -> None:
    for words in (("predict", EPISODE, "--model"), ("export",)):
        done = call(
            *words,
            "abcdef",
            "--data",
            tmp_path,
            *(("--onnx", tmp_path / "m.onnx") if words[0] == "export" else ()),
        )
        done.check_refusal(1, "no such bundle", "abcdef")


def test_a_family_without_a_graph_is_told(
    call: Call, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    options = FitOptions(family="majority", mode=Mode.ANY)
    _, directory = fitted(tmp_path_factory, options)
    done = call("export", directory, "--onnx", tmp_path / "m.onnx")
    done.check_refusal(2, "this family has no ONNX form", "majority")


def test_a_bundle_elsewhere_is_found_by_its_directory(
    call: Call, one: Exported, tmp_path: Path
) -> None:
    moved = tmp_path / one.directory.name
    shutil.copytree(one.directory, moved)
    done = call("predict", EPISODE, "--model", moved, "--json").must_succeed()
    assert len(done.result["windows"]) > 10
