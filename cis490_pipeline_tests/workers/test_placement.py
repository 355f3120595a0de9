"""Which jobs a worker may run, and every reason where it may not."""

import pytest

from cis490_pipeline.workers.placement import Placement, hosts_denying, hosts_left, placements
from cis490_pipeline.workers.queues import Queue, QueuePolicy
from cis490_pipeline.workers.report import WorkerReport
from cis490_pipeline_tests.workers.building import machine, manifest, worker

CNN = '[[jobs]]\nfamily = "cnn"\nmode = "oracle"\nsplit = "sample"\n'
GBT = CNN.replace("cnn", "gbt")
ANYWHERE = QueuePolicy(gpu_without_cuda=True)


def placed(text: str, report: WorkerReport) -> Placement:
    (found,) = placements(manifest(text), report)
    return found


@pytest.mark.parametrize(
    ("text", "gpu_box", "cpu_box", "cpu_box_that_takes_all"),
    [
        (GBT, True, True, True),
        (CNN, True, False, True),
        (CNN + "require_cuda = true\n", True, False, False),
        (CNN + "prefer_cuda = true\n", True, False, True),
        (CNN + "prefer_cuda = true\nmin_vram_gib = 8\n", True, False, True),
        (CNN + "prefer_cuda = true\nmin_vram_gib = 8.1\n", False, False, True),
        (CNN + "require_cuda = true\nmin_vram_gib = 8.1\n", False, False, False),
        (GBT + "min_ram_gib = 16\n", True, True, True),
        (GBT + "min_ram_gib = 16.5\n", False, False, False),
    ],
)
def test_a_job_runs_where_its_needs_are_met(
    text: str, gpu_box: bool, cpu_box: bool, cpu_box_that_takes_all: bool
) -> None:
    assert placed(text, worker(machine(vram_gib=8))).may_run is gpu_box
    assert placed(text, worker(machine())).may_run is cpu_box
    assert placed(text, worker(machine(), ANYWHERE)).may_run is cpu_box_that_takes_all


def test_a_preference_is_a_second_choice_and_no_refusal() -> None:
    text = CNN + "prefer_cuda = true\n"
    without = placed(text, worker(machine(), ANYWHERE))
    assert (without.may_run, without.second_choice) == (True, True)
    assert not placed(text, worker(machine(vram_gib=8))).second_choice
    assert not placed(CNN, worker(machine(), ANYWHERE)).second_choice


def test_the_device_that_a_fit_takes_counts_and_not_the_largest() -> None:
    small, large = machine(vram_gib=4), machine(vram_gib=24)
    assert small.devices
    assert large.devices
    both = machine(devices=(*small.devices, *large.devices), why_no_cuda=None)
    found = placed(CNN + "require_cuda = true\nmin_vram_gib = 8\n", worker(both))
    assert found.reasons == ("the job needs 8 GiB VRAM, and there are 4.00",)


def test_an_amount_that_nobody_knows_is_not_enough_and_not_zero() -> None:
    found = placed(GBT + "min_ram_gib = 1\n", worker(machine(ram_bytes=None)))
    assert found.reasons == ("the job needs 1 GiB RAM, and nobody can tell how much there is",)
    assert placed(GBT, worker(machine(ram_bytes=None))).may_run


def test_rules_of_hosts_hold_by_their_names() -> None:
    rules = '[hosts.a]\nallow = ["gbt"]\n[hosts.b]\ndeny = ["cnn"]\n[hosts.c]\n'
    may = {
        name: [one.may_run for one in placements(manifest(rules + CNN + GBT), on(name))]
        for name in ("a", "b", "c", "unnamed")
    }
    assert may == {"a": [False, True], "b": [False, True], "c": [True] * 2, "unnamed": [True] * 2}


def on(hostname: str) -> WorkerReport:
    return worker(machine(hostname, vram_gib=8))


def test_a_job_stays_on_the_hosts_that_it_allows() -> None:
    text = '[hosts.a]\n[hosts.b]\ndeny = ["cnn"]\n' + CNN + 'allowed_hosts = ["a", "b"]\n'
    assert placed(text, on("a")).may_run
    assert placed(text, on("b")).reasons == ("the manifest denies cnn to b",)
    assert placed(text, on("c")).reasons == ("the job allows only a, b",)
    declared = manifest(text)
    assert hosts_left(declared.jobs[0], declared) == ("a",)
    assert hosts_denying(declared.jobs[0], declared) == ("b",)


def test_without_allowed_hosts_any_will_do_but_those_that_deny() -> None:
    declared = manifest('[hosts.a]\n[hosts.b]\ndeny = ["cnn"]\n' + CNN)
    assert hosts_left(declared.jobs[0], declared) is None
    assert hosts_denying(declared.jobs[0], declared) == ("b",)


def test_all_reasons_are_told() -> None:
    text = '[hosts.a]\n[hosts.b]\ndeny = ["cnn"]\n' + CNN + 'allowed_hosts = ["a"]\n'
    text += "require_cuda = true\nmin_ram_gib = 32\n"
    told = placed(text, worker(machine("b"))).reasons
    for part in ("does not serve the queue gpu", "denies cnn", "only a", "requires CUDA", "32 GiB"):
        assert any(part in reason for reason in told), part
    assert len(told) == 5


def test_a_worker_that_does_not_speak_of_a_queue_does_not_serve_it() -> None:
    silent = WorkerReport(capability=machine(vram_gib=8), queues=())
    assert placed(GBT, silent).reasons == ("it does not serve the queue cpu",)
    only_gpu = worker(machine(vram_gib=8), QueuePolicy(queues=frozenset({Queue.GPU})))
    assert placed(CNN, only_gpu).may_run
    assert not placed(GBT, only_gpu).may_run
