"""The registry finds, reuses and repairs bundles, and counts attempts durably."""

import shutil
import subprocess
import sys

import pytest

from cis490_pipeline.errors import (
    AttemptsExhaustedError,
    TrainingCancelledError,
    TrainingError,
    WarehouseError,
)
from cis490_pipeline.models.bundle import open_bundle, read_files, read_header
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline_tests.conformance.factory import loader_for, request_for, run_job

JOB = "e" * 64


@pytest.fixture
def made(tmp_path):
    outcome = run_job(request_for("majority", Mode.ANY), tmp_path)
    return ModelRegistry(tmp_path / "models"), outcome


def test_a_bundle_is_found_by_directory_hash_and_prefix(made):
    registry, outcome = made
    directory = registry.root / outcome.bundle
    for reference in (directory, str(directory), outcome.bundle, outcome.bundle[:6]):
        assert registry.find(reference) == directory


@pytest.mark.parametrize("reference", ["abc", "zzzz", "", "../../etc", "*", "0" * 64])
def test_what_is_no_bundle_is_not_found(made, reference):
    with pytest.raises(WarehouseError, match="no such bundle"):
        made[0].find(reference)


def test_an_ambiguous_prefix_lists_the_candidates(made):
    registry, outcome = made
    twin = outcome.bundle[:8] + "0" * 56
    shutil.copytree(registry.root / outcome.bundle, registry.root / twin)
    with pytest.raises(WarehouseError, match="more than one") as caught:
        registry.find(outcome.bundle[:8])
    assert twin[:16] in caught.value.found


def _damage_weights(registry, outcome):
    (registry.root / outcome.bundle / "weights.json").write_bytes(b"{}")


def _remove_bundle(registry, outcome):
    shutil.rmtree(registry.root / outcome.bundle)


def _tear_entry(registry, outcome):
    (registry.root / "by-identity" / f"{outcome.identity}.json").write_bytes(b'{"bun')


def _point_elsewhere(registry, outcome):
    entry = registry.root / "by-identity" / f"{outcome.identity}.json"
    entry.write_bytes(b'{"bundle":"../../elsewhere"}')


@pytest.mark.parametrize("fault", [_damage_weights, _remove_bundle, _tear_entry, _point_elsewhere])
def test_a_damaged_entry_is_absent_and_made_again(made, tmp_path, fault):
    registry, outcome = made
    fault(registry, outcome)
    assert registry.by_identity(outcome.identity) is None
    again = run_job(request_for("majority", Mode.ANY), tmp_path)
    assert not again.reused
    assert registry.by_identity(outcome.identity) == again.bundle
    assert open_bundle(registry.find(again.bundle)).header.identity == outcome.identity


def test_a_second_bundle_for_an_identity_does_not_displace_the_first(made):
    registry, outcome = made
    _, header = read_header(registry.root / outcome.bundle)
    weights = read_files(registry.root / outcome.bundle, header)
    other = {"weights.json": weights["weights.json"] + b" "}
    assert registry.save(header, other) == outcome.bundle
    assert registry.by_identity(outcome.identity) == outcome.bundle


def test_three_failures_exhaust_a_job_and_the_message_names_what_to_delete(tmp_path):
    registry = ModelRegistry(tmp_path)
    for number in range(3):
        with pytest.raises(TrainingError, match="boom"), registry.attempt(JOB):
            raise TrainingError(f"boom {number}")
    with pytest.raises(AttemptsExhaustedError) as caught, registry.attempt(JOB):
        pytest.fail("must not start")
    assert "boom 2" in caught.value.found
    named = tmp_path / "attempts" / JOB
    assert str(named) in caught.value.todo
    shutil.rmtree(named)
    with registry.attempt(JOB):
        pass


def test_deleting_one_file_allows_one_more_attempt(tmp_path):
    registry = ModelRegistry(tmp_path)
    for _ in range(3):
        with pytest.raises(MemoryError), registry.attempt(JOB):
            raise MemoryError
    registry.attempts(JOB)[1].unlink()
    with registry.attempt(JOB):
        assert len(registry.attempts(JOB)) == 3


@pytest.mark.parametrize("kind", [TrainingCancelledError, KeyboardInterrupt, SystemExit])
def test_cancelling_and_interrupts_do_not_count(tmp_path, kind):
    registry = ModelRegistry(tmp_path)
    for _ in range(5):
        with pytest.raises(kind), registry.attempt(JOB):
            raise kind("stop")
    assert registry.attempts(JOB) == ()


def test_success_forgets_earlier_failures(tmp_path):
    registry = ModelRegistry(tmp_path)
    with pytest.raises(MemoryError), registry.attempt(JOB):
        raise MemoryError
    with registry.attempt(JOB):
        pass
    assert registry.attempts(JOB) == ()


def test_an_attempt_that_kills_its_process_counts(tmp_path):
    code = (
        "import os, sys, pathlib\n"
        "from cis490_pipeline.models.registry import ModelRegistry\n"
        f"with ModelRegistry(pathlib.Path(sys.argv[1])).attempt({JOB!r}):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert len(ModelRegistry(tmp_path).attempts(JOB)) == 1


def test_a_failing_load_counts_and_the_fourth_is_not_tried(tmp_path):
    calls = []

    def load():
        calls.append(1)
        raise WarehouseError("shard is gone")

    for _ in range(3):
        with pytest.raises(WarehouseError):
            run_job(request_for("majority", Mode.ANY), tmp_path, load)
    with pytest.raises(AttemptsExhaustedError, match="attempts"):
        run_job(request_for("majority", Mode.ANY), tmp_path, loader_for(Mode.ANY))
    assert len(calls) == 3
