"""Which queues a machine may serve, with every reason where it may not."""

import pytest

from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.workers.capability import Capability
from cis490_pipeline.workers.queues import (
    Queue,
    QueuePolicy,
    device_of,
    judge_queues,
    queue_of,
)
from cis490_pipeline_tests.workers.building import CODE, machine

NO_TORCH = machine(torch=None, devices=None, why_no_cuda="torch is not installed")
BROKEN = machine(devices=None, why_no_cuda="CUDA fails: no driver")


def served(capability: Capability, policy: QueuePolicy | None = None) -> list[str]:
    verdicts = judge_queues(capability, policy or QueuePolicy())
    assert [one.queue for one in verdicts] == list(Queue)
    return [one.queue.value for one in verdicts if one.served]


def reasons(capability: Capability, queue: Queue, policy: QueuePolicy | None = None) -> list[str]:
    verdicts = judge_queues(capability, policy or QueuePolicy())
    return [reason for one in verdicts if one.queue is queue for reason in one.reasons]


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        (machine(vram_gib=8), ["cpu", "gpu"]),
        (machine(), ["cpu"]),
        (BROKEN, ["cpu"]),
        (NO_TORCH, []),
    ],
)
def test_a_machine_serves_what_it_has(capability: Capability, expected: list[str]) -> None:
    assert served(capability) == expected


def test_without_a_device_the_reason_is_what_torch_said() -> None:
    assert reasons(machine(), Queue.GPU) == ["torch 2.9.1 sees no CUDA device"]
    assert reasons(BROKEN, Queue.GPU) == ["CUDA fails: no driver"]
    assert reasons(NO_TORCH, Queue.CPU) == ["torch is not installed"]


def test_a_lab_without_gpus_may_fit_networks_on_a_cpu() -> None:
    policy = QueuePolicy(gpu_without_cuda=True)
    assert served(machine(), policy) == ["cpu", "gpu"]
    assert served(NO_TORCH, policy) == []


def test_a_gpu_box_may_leave_the_other_queue_alone() -> None:
    policy = QueuePolicy(queues=frozenset({Queue.GPU}))
    assert served(machine(vram_gib=8), policy) == ["gpu"]
    assert reasons(machine(vram_gib=8), Queue.CPU, policy) == [
        "the policy of this worker allows gpu"
    ]


def test_another_code_serves_nothing_and_all_reasons_are_told() -> None:
    policy = QueuePolicy(code_fingerprint="cd" * 32)
    assert served(machine(vram_gib=8), policy) == []
    assert served(machine(vram_gib=8), QueuePolicy(code_fingerprint=CODE)) == ["cpu", "gpu"]
    told = reasons(machine(), Queue.GPU, policy)
    assert len(told) == 2
    assert "abababababab is not the control plane's cdcdcdcdcdcd" in told[0]


def test_fits_of_a_queue_run_on_its_device() -> None:
    with_device = machine(vram_gib=8)
    assert device_of(Queue.GPU, with_device) == "cuda"
    assert {device_of(Queue.CPU, with_device), device_of(Queue.GPU, machine())} == {"cpu"}


def test_the_fits_wait_where_their_assets_are_tagged_to() -> None:
    from cis490_pipeline.definitions import defs

    fits = {
        assets.op.name: assets.op.tags
        for assets in defs.resolve_asset_graph().assets_defs
        if assets.is_executable
    }
    for spec in FAMILIES:
        for mode in spec.modes:
            tags = fits[f"model__{spec.name}__{mode}"]
            assert tags["dagster-celery/queue"] == queue_of(spec).value
