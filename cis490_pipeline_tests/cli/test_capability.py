"""``capability`` tells what this machine can do, ``register`` prepares a Dagster home."""

import os
import platform
from pathlib import Path

import pytest

from cis490_pipeline_tests.cli.running import Call, installed
from cis490_pipeline_tests.datasets.smoke import CORPUS, INDEX

KEYS = {"hostname", "cores", "ram_bytes", "cuda", "vram_bytes", "torch", "code_commit", "queues"}


def test_capability_has_the_promised_keys(call: Call) -> None:
    found = call("capability", "--json").must_succeed().result
    assert set(found) == KEYS
    assert (found["hostname"], found["cores"]) == (platform.node(), os.cpu_count())
    assert found["ram_bytes"] > 1 << 28
    assert "cpu" in found["queues"]
    assert found["cuda"] is bool(found["vram_bytes"])
    assert ("gpu" in found["queues"]) is found["cuda"]


def test_without_cuda_the_memory_is_null_and_not_zero(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = call("capability", "--json").must_succeed()
    assert done.result["vram_bytes"] is None
    assert done.result["queues"] == ["cpu"]
    assert "vram_bytes   –" in done.stdout


def test_with_cuda_the_gpu_queue_is_served(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    class Properties:
        total_memory = 8 << 30

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties)
    found = call("capability", "--json").must_succeed().result
    assert found["cuda"] is True
    assert found["vram_bytes"] == [8 << 30] * 2
    assert found["queues"] == ["cpu", "gpu"]


def test_register_prepares_the_home_and_tells_what_is_new(tmp_path: Path) -> None:
    words = ("register", "--data", "data", "--index", INDEX, "--json")
    done = installed(*words, cwd=tmp_path, CIS490_STORE=str(CORPUS)).must_succeed()
    assert done.result == {
        "dagster_home": str(tmp_path / "data" / "dagster"),
        "new_hosts": ["lab-a", "lab-b"],
        "new_splits": ["deploy", "host=lab-a", "host=lab-b", "sample", "time"],
    }
    assert (tmp_path / "data" / "dagster" / "dagster.yaml").is_file()
