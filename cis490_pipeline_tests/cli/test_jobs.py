"""``jobs check`` lists a manifest's jobs and where they may run, and refuses what is wrong."""

from pathlib import Path

import pytest

from cis490_pipeline_tests.cli.running import Call

MANIFEST = """
[hosts.gpu-1]
allow = ["cnn"]
[hosts.pi]
deny = ["cnn"]

[[jobs]]
family = "cnn"
mode = "realistic"
split = "host=lab-b"
seeds = [0, 1]
require_cuda = true
min_vram_gib = 7.5
allowed_hosts = ["gpu-1"]
[jobs.hyper_parameters]
learning_rate = 3e-4

[[jobs]]
family = "gbt"
mode = "oracle"
split = "sample"
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "training_manifest.toml"
    path.write_text(MANIFEST, "utf-8")
    return path


@pytest.fixture
def here(tmp_path: Path, call: Call) -> Path:
    """Return what this machine says of itself, as an operator would save it."""
    path = tmp_path / "here.json"
    printed = call("capability", "--queue", "cpu", "--json").must_succeed().stdout
    path.write_text(printed, "utf-8")
    return path


def test_it_lists_the_jobs_with_what_they_need(call: Call, manifest: Path) -> None:
    done = call("jobs", "check", manifest, "--json").must_succeed()
    first, second, third = done.result["jobs"]
    assert [one["seed"] for one in (first, second, third)] == [0, 1, 0]
    assert (first["queue"], first["cuda"], first["min_vram_gib"]) == ("gpu", "required", 7.5)
    assert first["hyper_parameters"] == {"learning_rate": 3e-4}
    assert (first["hosts"], first["hosts_denying"]) == (["gpu-1"], ["pi"])
    assert (third["hosts"], third["hosts_denying"]) == (None, ["gpu-1"])
    assert third["workers"] == {}
    assert (third["min_ram_gib"], third["min_vram_gib"]) == (None, None)
    assert len({one["identity"] for one in (first, second, third)}) == 3
    for shown in (first["identity"][:12], "any but gpu-1", "CUDA", "≥ 7.5"):
        assert shown in " ".join(done.stdout.split())


def test_a_workers_own_words_say_what_it_may_run(call: Call, manifest: Path, here: Path) -> None:
    done = call("jobs", "check", manifest, "--worker", here, "--json").must_succeed()
    hostname = call("capability", "--json").result["hostname"]
    cnn, _, gbt = (one["workers"][hostname] for one in done.result["jobs"])
    assert gbt == {"may_run": True, "second_choice": False, "reasons": []}
    assert not cnn["may_run"]
    assert any("the policy of this worker allows cpu" in reason for reason in cnn["reasons"])
    assert f"{hostname} may run 1 of 3 jobs" in done.stdout


def test_one_host_cannot_speak_twice(call: Call, manifest: Path, here: Path) -> None:
    words = ("--worker", here, "--worker", here)
    call("jobs", "check", manifest, *words).check_refusal(2, "of one host")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"gbt"', '"gtb"', "job 2: family"),
        ("require_cuda", "need_cuda", "job 1: need_cuda"),
        ('allow = ["cnn"]', 'deny = ["cnn"]', "job 1: allowed_hosts"),
        ("[[jobs]]", "[[jobs", "not TOML"),
    ],
)
def test_a_wrong_manifest_ends_with_2_and_its_place(
    call: Call, manifest: Path, old: str, new: str, told: str
) -> None:
    manifest.write_text(MANIFEST.replace(old, new), "utf-8")
    call("jobs", "check", manifest).check_refusal(2, str(manifest), told)


def test_files_that_are_not_there_or_something_else_end_with_2(
    call: Call, manifest: Path, tmp_path: Path
) -> None:
    call("jobs", "check", tmp_path / "absent").check_refusal(2, "cannot read the manifest")
    words = ("jobs", "check", manifest, "--worker")
    call(*words, tmp_path / "absent").check_refusal(2, "cannot read the report")
    call(*words, manifest).check_refusal(2, "cannot use the report of a worker", str(manifest))
    empty = tmp_path / "empty"
    empty.touch()
    call(*words, empty).check_refusal(2, "cannot use the report of a worker")
