"""``train``, ``evaluate`` and ``report`` one after the other, and what each says when it cannot."""

from pathlib import Path

import pytest

from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.cli.running import Call, installed
from cis490_pipeline_tests.datasets.farm import ingest, ship
from cis490_pipeline_tests.episodes.building import build_store

TRAINED = {"bundle", "identity", "id_val_macro_f1", "seconds", "reused", "search", "models"}
SCORED = {
    "family",
    "mode",
    "context",
    "seed",
    "bundle",
    "macro_f1",
    "ci_low",
    "ci_high",
    "n_episodes",
    "n_windows",
    "untested_profiles",
}
REPORTED = {"html", "markdown", "json", "headline", "index", "leave_one_host_out"}
CLOCK = ("--family", "elapsed_time", "--mode", "any")
SPLIT = ("--split", "host=lab-b")
COMPARED = "cis490 evaluate: channels of training and test set compared"


def _readings(data: Path) -> list[str]:
    rows = Warehouse(data).tables.read(Table.TEST_LEDGER).to_pylist()
    return sorted(row["why"] for row in rows)


def test_the_way_from_train_to_report(call: Call, data: Path) -> None:
    trained = call("train", "--data", data, *SPLIT, *CLOCK, "--json").must_succeed()
    assert set(trained.result) == TRAINED
    assert trained.result["reused"] is False
    assert 0 < trained.result["id_val_macro_f1"] < 1
    _, header = read_header(data / "models" / trained.result["bundle"])
    assert header.identity == trained.result["identity"]
    assert str(data / "models" / trained.result["bundle"]) in trained.stdout

    done = call("evaluate", "--data", data, *SPLIT, "--json").must_succeed()
    assert set(done.result) == {"models"}
    (model,) = done.result["models"]
    assert set(model) == SCORED
    assert (model["family"], model["mode"], model["seed"]) == ("elapsed_time", "any", 0)
    assert model["bundle"] == trained.result["bundle"]
    assert 0 < model["ci_low"] < model["macro_f1"] < model["ci_high"] < 1
    assert (model["n_episodes"], model["n_windows"]) == (24, 369)
    assert model["untested_profiles"] == ["scan-and-dial"]

    report = call("report", "--data", data, *SPLIT, "--json").must_succeed()
    assert set(report.result) == REPORTED
    for kind in ("html", "markdown", "json", "index"):
        assert Path(report.result[kind]).stat().st_size > 500
    assert report.stdout.splitlines()[0] == report.result["headline"]
    assert "1 of 2 hosts left out" in report.stdout
    assert Path(report.result["leave_one_host_out"]).stat().st_size > 500
    assert "tested on lab-b" in report.result["headline"]


def test_a_store_with_one_host_is_told_what_to_do_instead(call: Call, tmp_path: Path) -> None:
    for n in range(6):
        ship(tmp_path / "store", "lab-a", n, ("io-walk", "benign")[n % 2])
    data = ingest(tmp_path / "store", tmp_path / "one", "lab-a").root
    done = call("train", "--data", data, "--split", "host=lab-a", *CLOCK)
    done.check_refusal(1, "only host lab-a has usable episodes", "use split `sample` or `time`")
    assert not (data / "splits").exists(), "nothing was planned"


def test_the_same_training_again_is_reused(call: Call, data: Path) -> None:
    words = ("train", "--data", data, *SPLIT, *CLOCK, "--json")
    first, second = (call(*words).must_succeed() for _ in range(2))
    assert second.result["reused"] is True
    assert "reused, nothing was fitted" in second.stdout
    for key in ("bundle", "identity", "id_val_macro_f1"):
        assert first.result[key] == second.result[key]
    loud = call(*words, "--alarm", "1/2", "--alarm-budget", "0.2").must_succeed()
    assert loud.result["identity"] != first.result["identity"], "the bundle holds the threshold"
    _, header = read_header(data / "models" / loud.result["bundle"])
    assert header.alarm.policy == AlarmPolicy(k=1, n=2, budget=0.2)
    other = call(*words, "--statuses", "accepted").must_succeed()
    assert other.result["identity"] != first.result["identity"], "statuses are part of it"
    assert other.result["reused"] is False


def test_context_and_filter_are_options_and_part_of_the_identity(call: Call, data: Path) -> None:
    words = ("train", "--data", data, *SPLIT, "--family", "gbt", "--mode", "realistic", "--json")
    options = ((), ("--context", "recent"), ("--context", "recent", "--no-phase-filter"))
    done = [call(*words, *more).must_succeed().result for more in options]
    headers = [read_header(data / "models" / one["bundle"])[1] for one in done]
    assert [header.context.value for header in headers] == ["none", "recent", "recent"]
    assert [header.phase_filter is not None for header in headers] == [False, True, False]
    assert len({one["identity"] for one in done}) == 3
    scored = call("evaluate", "--data", data, *SPLIT, "--family", "gbt", "--json").must_succeed()
    by_context = {model["context"]: model for model in scored.result["models"]}
    assert set(by_context) == {"none", "recent"}
    assert by_context["recent"]["bundle"] == done[2]["bundle"], "the last one fitted is current"
    assert by_context["recent"]["ci_low"] > by_context["none"]["ci_high"]
    refused = call("train", "--data", data, *SPLIT, *CLOCK, "--context", "recent")
    refused.check_refusal(2, "does not have this context", "elapsed_time")


def test_another_seed_is_another_identity(call: Call, data: Path) -> None:
    words = ("train", "--data", data, *SPLIT, *CLOCK, "--json")
    identities = {call(*words, "--seed", s).must_succeed().result["identity"] for s in (0, 1, 2)}
    assert len(identities) == 3
    done = call("evaluate", "--data", data, *SPLIT, "--json").must_succeed()
    assert [model["seed"] for model in done.result["models"]] == [0, 1, 2]
    assert _readings(data) == ["cis490 evaluate"] * 3 + [COMPARED]


def test_several_seeds_are_several_models_of_one_call(call: Call, data: Path) -> None:
    words = ("train", "--data", data, *SPLIT, *CLOCK, "--seed", 2, "--seed", 0, "--json")
    done = call(*words).must_succeed()
    assert [model["seed"] for model in done.result["models"]] == [2, 0]
    assert done.result["bundle"] == done.result["models"][0]["bundle"]
    assert len({model["identity"] for model in done.result["models"]}) == 2
    assert [
        model["seed"]
        for model in call("evaluate", "--data", data, *SPLIT, "--json").result["models"]
    ] == [0, 2]


def test_a_search_prints_and_returns_what_it_tried(call: Call, data: Path) -> None:
    words = ("train", "--data", data, *SPLIT, "--family", "knn_semi", "--mode", "realistic")
    done = call(*words, "--search", "--json").must_succeed()
    _, header = read_header(data / "models" / done.result["bundle"])
    assert len(done.result["search"]) == len(header.search) == 4
    (chosen,) = (trial for trial in done.result["search"] if trial["chosen"])
    assert chosen["id_val_macro_f1"] == done.result["id_val_macro_f1"]
    assert "defaults" in done.stdout
    assert "confidence 0.8" in done.stdout
    plain = call(*words, "--json").must_succeed()
    assert plain.result["reused"], "the defaults were one of the combinations"
    assert plain.result["search"] is None
    assert plain.result["identity"] != done.result["identity"]
    assert call(*words, "--search", "--json").result["bundle"] == done.result["bundle"]
    refused = call("train", "--data", data, *SPLIT, *CLOCK, "--search")
    refused.check_refusal(2, "nothing to search", "elapsed_time")


def test_evaluate_scores_the_asked_for_family_alone(call: Call, data: Path) -> None:
    for name in ("elapsed_time", "majority"):
        words = ("--family", name, "--mode", "any")
        call("train", "--data", data, *SPLIT, *words).must_succeed()
    done = call("evaluate", "--data", data, *SPLIT, "--family", "majority", "--json")
    assert [m["family"] for m in done.must_succeed().result["models"]] == ["majority"]
    assert _readings(data) == ["cis490 evaluate", COMPARED]


def test_the_installed_program_trains(data: Path, tmp_path: Path) -> None:
    done = installed("train", *SPLIT, *CLOCK, "--json", cwd=tmp_path, CIS490_DATA=str(data))
    assert set(done.must_succeed().result) == TRAINED
    assert "17 episodes train, 7 are id_val" in done.stderr


def test_deploy_is_fitted_and_claims_nothing(call: Call, data: Path) -> None:
    words = ("--data", data, "--split", "deploy")
    call("train", *words, *CLOCK).must_succeed()
    done = call("evaluate", *words, "--json").must_succeed()
    (model,) = done.result["models"]
    assert set(model) == SCORED
    for key in ("macro_f1", "ci_low", "ci_high", "untested_profiles"):
        assert model[key] is None, "absent is null"
    assert model["n_episodes"] == 0
    assert "untested" in done.stdout
    report = call("report", *words, "--json").must_succeed()
    assert "no test set" in report.result["headline"]


def test_declared_host_lists_are_a_split(call: Call, data: Path) -> None:
    words = ("--data", data, "--split", "hosts:back")
    call("train", *words, *CLOCK).check_refusal(2, "no host lists of this name", "hosts:back")
    declared = '[hosts.back]\ntrain = ["lab-b"]\ntest = ["lab-a"]\n'
    (data / "splits.toml").write_text(declared, "utf-8")
    call("train", *words, *CLOCK).must_succeed()
    done = call("evaluate", *words, "--json").must_succeed()
    assert done.result["models"][0]["n_episodes"] == 24
    headline = call("report", *words, "--json").must_succeed().result["headline"]
    assert headline.startswith("trained on lab-b, tested on lab-a")
    (data / "splits.toml").write_text(declared.replace("train", "trian"), "utf-8")
    done = call("train", *words, *CLOCK)
    done.check_refusal(2, "splits.toml", "[hosts.<name>]", "[do: correct the file]")


def test_leaving_out_the_only_host_is_refused_with_another_split(
    call: Call, tmp_path: Path
) -> None:
    store = build_store(tmp_path / "store", {"lab-a": 4}, seconds=15).root
    call("ingest", store, "--data", tmp_path / "one").must_succeed()
    done = call("train", "--data", tmp_path / "one", "--split", "host=lab-a", *CLOCK)
    done.check_refusal(1, "refused", "host=lab-a", "sample", "time")


@pytest.mark.parametrize("command", ["train", "evaluate", "report"])
def test_an_absent_data_directory_says_what_to_do_and_is_not_made(
    call: Call, tmp_path: Path, command: str
) -> None:
    absent = tmp_path / "absent"
    words = CLOCK if command == "train" else ()
    done = call(command, "--data", absent, *SPLIT, *words)
    done.check_refusal(1, str(absent), "[do: ")
    assert not absent.exists()


@pytest.mark.parametrize(
    ("status", "words", "said"),
    [
        (2, ("--split", "nonsense"), "host=<host> | sample | time"),
        (1, ("--split", "host=lab-z"), "hosts with usable episodes: lab-a, lab-b"),
        (2, ("--split", "host=../x"), "not a split"),
        (2, (*SPLIT, "--statuses", "rejected"), "accepted, degraded"),
        (2, (*SPLIT, "--statuses", ""), "accepted, degraded"),
    ],
)
def test_a_training_that_cannot_be_is_refused_in_one_sentence(
    call: Call, data: Path, status: int, words: tuple[str, ...], said: str
) -> None:
    call("train", "--data", data, *words, *CLOCK).check_refusal(status, said)
    assert not (data / "models").exists()


def test_epochs_of_a_family_without_epochs_are_a_usage_error(call: Call, data: Path) -> None:
    done = call("train", "--data", data, *SPLIT, *CLOCK, "--epochs", 3)
    done.check_refusal(2, "--epochs", "elapsed_time is not fitted in epochs")


def test_a_mode_that_the_family_does_not_have_is_named(call: Call, data: Path) -> None:
    words = ("--family", "elapsed_time", "--mode", "realistic")
    done = call("train", "--data", data, *SPLIT, *words)
    done.check_refusal(2, "does not have this mode", "one of any")
    assert not (data / "splits").exists(), "a wrong option leaves the split's set file alone"


def test_evaluate_and_report_before_train_say_what_comes_first(call: Call, data: Path) -> None:
    for command in ("evaluate", "report"):
        call(command, "--data", data, *SPLIT).check_refusal(1, "cis490 train")
    call("train", "--data", data, *SPLIT, *CLOCK).must_succeed()
    done = call("evaluate", "--data", data, *SPLIT, "--family", "gbt")
    done.check_refusal(1, "no such model", "cis490 train")
    done = call("evaluate", "--data", data, *SPLIT, "--mode", "realistic")
    done.check_refusal(1, "no such model", "mode realistic")
    call("report", "--data", data, *SPLIT).check_refusal(1, "cis490 evaluate")
    assert Warehouse(data).tables.count(Table.TEST_LEDGER) == 0
