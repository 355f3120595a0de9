"""What a worker says of itself survives the way as JSON, and what is no report is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.workers.capability import detect
from cis490_pipeline.workers.code_fingerprint import code_fingerprint, package_root
from cis490_pipeline.workers.machine_limits import LimitFiles
from cis490_pipeline.workers.report import WorkerReport, report_from_json, report_values
from cis490_pipeline.workers.torch_devices import NoTorch
from cis490_pipeline_tests.workers.building import (
    FakeCuda,
    FakeProperties,
    FakeTorch,
    limit_files,
    machine,
    worker,
)


def there_and_back(report: WorkerReport) -> WorkerReport:
    return report_from_json(json.dumps(report_values(report)).encode(), where="box.json")


@pytest.mark.parametrize(
    "capability",
    [machine(vram_gib=8), machine(), machine(torch=None, devices=None, why_no_cuda="no torch")],
)
def test_a_report_is_the_same_after_its_way(capability) -> None:
    assert there_and_back(worker(capability)) == worker(capability)


def test_what_is_not_there_is_null() -> None:
    without_torch = machine(torch=None, devices=None, why_no_cuda="no torch", ram_bytes=None)
    values = report_values(worker(without_torch))
    assert [values[key] for key in ("cuda", "vram_bytes", "ram_bytes", "torch")] == [None] * 4
    assert report_values(worker(machine()))["cuda"] is False
    assert report_values(worker(machine()))["vram_bytes"] is None


def test_a_detected_machine_tells_what_was_put_before_it(tmp_path) -> None:
    contents = {"proc/meminfo": "MemTotal: 2048 kB\n", "proc/cgroup": "0::/\n"}
    torch = FakeTorch(FakeCuda([FakeProperties("T4", 15 << 30), FakeProperties("T400", 4 << 30)]))
    found = detect(limit_files(tmp_path, contents), torch, package_root())
    assert found.ram_bytes == 2 << 20
    assert (found.torch, found.has_cuda, found.fit_vram_bytes) == ("2.9.1+cu128", True, 15 << 30)
    assert found.code_fingerprint == code_fingerprint(package_root())
    assert there_and_back(worker(found)).capability == found


def test_a_machine_without_torch_has_no_version_and_no_zero_devices(tmp_path) -> None:
    nowhere = LimitFiles(own_groups=tmp_path, meminfo=tmp_path, group_root=tmp_path)
    found = detect(nowhere, NoTorch(why="torch is not installed"), package_root())
    assert (found.torch, found.devices, found.has_cuda) == (None, None, None)
    assert (found.fit_vram_bytes, found.ram_bytes) == (None, None)
    assert found.why_no_cuda == "torch is not installed"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"cores": 0}, "cores"),
        ({"ram_bytes": -1}, "ram_bytes"),
        ({"devices": [{"name": "T4"}]}, "vram_bytes"),
        ({"queues": ["cpu", "tpu"]}, "tpu"),
        ({"hostname": "x" * 300}, "hostname"),
    ],
)
def test_an_impossible_report_is_refused_with_the_key(changes: dict, found: str) -> None:
    values = {**report_values(worker(machine())), **changes}
    with pytest.raises(ConfigurationError, match="report of a worker") as caught:
        report_from_json(json.dumps(values).encode(), where="box.json")
    assert caught.value.where == "box.json"
    assert found in caught.value.found


@given(st.binary(max_size=200) | st.just(b"[" * 100_000) | st.just(b" " * (1 << 21)))
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigurationError):
        report_from_json(content, where="box.json")
