"""CUDA by detection: devices, no device, no torch and a driver that fails are four answers."""

import sys

import pytest

from cis490_pipeline.workers.torch_devices import (
    CudaDevice,
    CudaDevices,
    NoTorch,
    cuda_devices,
    installed_torch,
)
from cis490_pipeline_tests.workers.building import FakeCuda, FakeProperties, FakeTorch

TWO = (FakeProperties("RTX 3070", 8 << 30), FakeProperties("Tesla T4", 15 << 30))


def test_devices_come_with_name_and_memory_in_torchs_order() -> None:
    assert cuda_devices(FakeTorch(FakeCuda(TWO))) == CudaDevices(
        devices=(
            CudaDevice(name="RTX 3070", vram_bytes=8 << 30),
            CudaDevice(name="Tesla T4", vram_bytes=15 << 30),
        ),
        why_none=None,
    )


def test_a_torch_that_sees_none_says_so() -> None:
    found = cuda_devices(FakeTorch())
    assert found.devices == ()
    assert found.why_none == "torch 2.9.1+cu128 sees no CUDA device"


def test_without_torch_nobody_could_look() -> None:
    found = cuda_devices(NoTorch(why="torch is not installed"))
    assert found == CudaDevices(devices=None, why_none="torch is not installed")


@pytest.mark.parametrize("kind", [RuntimeError, AssertionError])
def test_a_driver_that_fails_is_an_answer(kind: type[Exception]) -> None:
    found = cuda_devices(FakeTorch(FakeCuda(fault=kind("CUDA error: unknown\nCompile with …"))))
    assert found == CudaDevices(devices=None, why_none="CUDA fails: CUDA error: unknown")


def test_the_installed_torch_is_found() -> None:
    import torch

    assert installed_torch() is torch


def test_a_torch_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert installed_torch() == NoTorch(why="torch is not installed")


def test_a_torch_whose_libraries_are_gone_says_which(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open')\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = installed_torch()
    assert isinstance(found, NoTorch)
    assert "libcudart.so.12" in found.why
