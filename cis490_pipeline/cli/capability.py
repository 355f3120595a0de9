"""``cis490 capability``: what this machine can run.

It ends with 1 where a self-test fails, so that a unit can ask before it starts a worker. Its JSON
line is what ``cis490 jobs check --worker`` reads.
"""

import sys
import time
from collections.abc import Sequence

import click

from cis490_pipeline.cli.output import emit_json, json_option
from cis490_pipeline.workers.capability import Capability, detect
from cis490_pipeline.workers.code_fingerprint import package_root
from cis490_pipeline.workers.machine_limits import LimitFiles
from cis490_pipeline.workers.queues import (
    GIB,
    Queue,
    QueuePolicy,
    QueueVerdict,
    device_of,
    judge_queues,
)
from cis490_pipeline.workers.report import WorkerReport, report_values
from cis490_pipeline.workers.self_test import SelfTest, after_tests, self_test
from cis490_pipeline.workers.torch_devices import installed_torch


@click.command("capability", help="Tell cores, memory, CUDA and the queues this machine can serve.")
@click.option(
    "--queue",
    "queues",
    multiple=True,
    type=click.Choice([queue.value for queue in Queue]),
    help="Serve this one; may be given several times. Default: all that it can.",
)
@click.option("--gpu-without-cuda", is_flag=True, help="Serve gpu on the CPU: no lab GPU at all.")
@click.option("--code", metavar="SHA256", help="Refuse where the sources are not these.")
@click.option("--self-test", "tested", is_flag=True, help="Fit something tiny for each queue.")
@json_option
def command(
    queues: tuple[str, ...],
    code: str | None,
    *,
    gpu_without_cuda: bool,
    tested: bool,
    as_json: bool,
) -> None:
    """Detect, judge, try, print."""
    found = detect(LimitFiles(), installed_torch(), package_root())
    policy = QueuePolicy(
        queues=frozenset(map(Queue, queues)) or frozenset(Queue),
        gpu_without_cuda=gpu_without_cuda,
        code_fingerprint=code,
    )
    verdicts = judge_queues(found, policy)
    _print_machine(found)
    tests = _tested(found, verdicts) if tested else ()
    verdicts = after_tests(verdicts, tests)
    for verdict in verdicts:
        click.echo(_line(f"queue {verdict.queue}", _in_words(verdict)))
    values = report_values(WorkerReport(capability=found, queues=verdicts), tests)
    emit_json(values, wanted=as_json)
    if not all(one.passed for one in tests):
        sys.exit(1)


def _print_machine(found: Capability) -> None:
    devices = found.devices or ()
    values: dict[str, object] = {
        "hostname": found.hostname,
        "cores": found.cores,
        "RAM": _gib(found.ram_bytes),
        "torch": found.torch,
        "CUDA": "; ".join(f"{one.name}, {_gib(one.vram_bytes)}" for one in devices) or None,
        "version": found.package_version,
        "commit": found.code_commit,
        "code": found.code_fingerprint,
    }
    for name, value in values.items():
        missing = f"– ({found.why_no_cuda})" if name == "CUDA" else "–"
        click.echo(_line(name, missing if value is None else str(value)))


def _tested(found: Capability, verdicts: Sequence[QueueVerdict]) -> tuple[SelfTest, ...]:
    tests: list[SelfTest] = []
    for verdict in verdicts:
        if verdict.served:
            device = device_of(verdict.queue, found)
            tests.append(self_test(verdict.queue, device=device, clock=time.monotonic))
            click.echo(_line(f"test {verdict.queue}", _outcome(tests[-1])))
    return tuple(tests)


def _outcome(test: SelfTest) -> str:
    what = f"{test.family} on {test.device}, {test.seconds:.1f} s"
    return f"passed ({what})" if test.passed else f"FAILED ({what}): {test.why_failed}"


def _in_words(verdict: QueueVerdict) -> str:
    return "yes" if verdict.served else f"no: {'; '.join(verdict.reasons)}"


def _gib(n_bytes: int | None) -> str | None:
    return None if n_bytes is None else f"{n_bytes / GIB:.2f} GiB"


def _line(name: str, value: str) -> str:
    return f"{name:12} {value}"
