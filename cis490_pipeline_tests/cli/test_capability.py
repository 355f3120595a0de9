"""``capability`` tells what this machine can do, ``register`` prepares a Dagster home."""

import os
import platform
import sys
from pathlib import Path

import pytest

from cis490_pipeline.workers import self_test
from cis490_pipeline_tests.cli.running import Call, installed
from cis490_pipeline_tests.datasets.smoke import CORPUS, INDEX

PROMISED = {
    *("hostname", "cores", "ram_bytes", "cuda", "vram_bytes", "torch", "code_commit", "queues"),
    *("devices", "why_no_cuda", "package_version", "code_fingerprint", "refused", "self_test"),
}


class _Properties:
    name = "Tesla T4"
    total_memory = 8 << 30


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: _Properties)


def test_capability_has_the_promised_keys(call: Call) -> None:
    found = call("capability", "--json").must_succeed().result
    assert set(found) == PROMISED
    assert found["hostname"] == platform.node()
    assert 1 <= found["cores"] <= (os.cpu_count() or 1)
    assert found["ram_bytes"] > 1 << 28
    assert "cpu" in found["queues"]
    assert found["cuda"] is bool(found["vram_bytes"])
    assert ("gpu" in found["queues"]) is found["cuda"]
    assert len(found["code_fingerprint"]) == 64
    assert found["self_test"] is None


@pytest.mark.usefixtures("no_device")
def test_without_cuda_the_memory_is_null_and_not_zero(call: Call) -> None:
    done = call("capability", "--json").must_succeed()
    assert (done.result["vram_bytes"], done.result["cuda"]) == (None, False)
    assert done.result["queues"] == ["cpu"]
    assert "sees no CUDA device" in done.result["refused"]["gpu"][0]
    assert "CUDA         – (torch" in done.stdout


@pytest.mark.usefixtures("two_devices")
def test_with_cuda_the_gpu_queue_is_served(call: Call) -> None:
    done = call("capability", "--json").must_succeed()
    assert done.result["cuda"] is True
    assert done.result["vram_bytes"] == [8 << 30] * 2
    assert done.result["queues"] == ["cpu", "gpu"]
    assert "Tesla T4, 8.00 GiB; Tesla T4, 8.00 GiB" in done.stdout


def test_without_torch_nothing_is_served_and_nothing_is_zero(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = call("capability", "--self-test", "--json").must_succeed()
    keys = ("torch", "cuda", "devices", "vram_bytes", "self_test")
    assert [done.result[key] for key in keys] == [None] * len(keys)
    assert done.result["queues"] == []
    assert "queue cpu    no: torch is not installed" in done.stdout


@pytest.mark.usefixtures("two_devices")
def test_a_worker_of_one_queue_or_of_other_code_says_why(call: Call) -> None:
    found = call("capability", "--queue", "gpu", "--json").must_succeed().result
    assert found["queues"] == ["gpu"]
    assert found["refused"] == {"cpu": ["the policy of this worker allows gpu"]}
    found = call("capability", "--code", "0" * 64, "--json").must_succeed().result
    assert found["queues"] == []
    assert "is not the control plane's 000000000000" in found["refused"]["gpu"][0]


@pytest.mark.usefixtures("no_device")
def test_a_self_test_fits_something_for_each_queue_that_is_served(call: Call) -> None:
    done = call("capability", "--self-test", "--gpu-without-cuda", "--json").must_succeed()
    assert [(one["queue"], one["why_failed"]) for one in done.result["self_test"]] == [
        ("cpu", None),
        ("gpu", None),
    ]
    assert all(one["seconds"] > 0 for one in done.result["self_test"])
    assert done.result["queues"] == ["cpu", "gpu"]
    assert "test cpu     passed (gbt on cpu, " in done.stdout


def test_a_self_test_that_fails_takes_the_queue_away_and_ends_with_1(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: no kernel image is available")

    monkeypatch.setattr(self_test, "fit_on_arrays", broken)
    done = call("capability", "--queue", "cpu", "--self-test", "--json")
    assert done.status == 1
    assert done.result["queues"] == []
    assert "self-test failed" in done.result["refused"]["cpu"][0]
    assert "test cpu     FAILED (gbt on cpu" in done.stdout
    assert "no kernel image" in done.stdout


def test_register_prepares_the_home_and_tells_what_is_new(tmp_path: Path) -> None:
    words = ("register", "--data", "data", "--index", INDEX, "--json")
    done = installed(*words, cwd=tmp_path, CIS490_STORE=str(CORPUS)).must_succeed()
    assert done.result == {
        "dagster_home": str(tmp_path / "data" / "dagster"),
        "new_hosts": ["lab-a", "lab-b"],
        "new_splits": ["deploy", "host=lab-a", "host=lab-b", "sample", "time"],
    }
    assert (tmp_path / "data" / "dagster" / "dagster.yaml").is_file()
