"""The tiny fit passes where a machine works, and is a failure with its reason where not."""

import itertools

import pytest

from cis490_pipeline.errors import TrainingError
from cis490_pipeline.workers import self_test as module
from cis490_pipeline.workers.queues import Queue, QueuePolicy, judge_queues
from cis490_pipeline.workers.self_test import SelfTest, after_tests, self_test
from cis490_pipeline_tests.workers.building import machine


def ticking(step_s: float = 0.25):
    """Return a clock that goes on by itself."""
    ticks = itertools.count()
    return lambda: next(ticks) * step_s


def tried(queue: Queue, *, device: str = "cpu", step_s: float = 0.0) -> SelfTest:
    return self_test(queue, device=device, clock=ticking(step_s))


@pytest.mark.parametrize(("queue", "family"), [(Queue.CPU, "gbt"), (Queue.GPU, "mlp")])
def test_a_machine_that_works_passes(queue: Queue, family: str) -> None:
    found = tried(queue, step_s=1e-3)
    assert (found.passed, found.why_failed) == (True, None)
    assert (found.queue, found.family, found.device) == (queue, family, "cpu")
    assert found.seconds > 0


def test_a_device_that_is_not_there_fails_with_what_torch_says() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    found = tried(Queue.GPU, device="cuda")
    assert not found.passed
    assert found.device == "cuda"
    assert found.why_failed
    assert "CUDA" in found.why_failed
    assert "\n" not in found.why_failed


def test_a_fit_that_learns_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    # as on a device that computes nonsense: this family looks at no case
    monkeypatch.setattr(module, "_FITS", {Queue.CPU: ("majority", {})})
    found = tried(Queue.CPU)
    assert found.why_failed == "it learned nothing: accuracy 0.50, expected at least 0.9"


@pytest.mark.parametrize("queue", Queue)
def test_a_fit_that_takes_too_long_is_given_up(queue: Queue) -> None:
    found = tried(queue, step_s=100.0)
    assert found.why_failed == "it took longer than 120 s"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ModuleNotFoundError("No module named 'xgboost'"), "No module named 'xgboost'"),
        (OSError("libnccl.so.2: cannot open"), "OSError: libnccl.so.2: cannot open"),
        (RuntimeError("CUDA error: no kernel image\nCompile with"), "CUDA error: no kernel image"),
        (ValueError("[20:31:07] device ordinal"), "device ordinal"),
        (MemoryError(), "MemoryError"),
        (TrainingError("the loss is not finite"), "the loss is not finite"),
    ],
)
def test_whatever_a_library_raises_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, told: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(module, "fit_on_arrays", broken)
    found = tried(Queue.CPU)
    assert not found.passed
    assert found.why_failed
    assert told in found.why_failed
    assert "\n" not in found.why_failed


def test_a_failed_test_keeps_its_queue_and_no_other() -> None:
    verdicts = judge_queues(machine(vram_gib=8), QueuePolicy())
    tests = [
        SelfTest(queue=Queue.CPU, family="gbt", device="cpu", seconds=1.0, why_failed=None),
        SelfTest(queue=Queue.GPU, family="mlp", device="cuda", seconds=1.0, why_failed="OOM"),
    ]
    after = after_tests(verdicts, tests)
    assert [one.served for one in after] == [True, False]
    assert after[1].reasons == ("its self-test failed: OOM",)
    assert after_tests(verdicts, []) == verdicts
