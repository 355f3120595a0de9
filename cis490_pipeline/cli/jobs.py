"""``cis490 jobs``: training jobs for workers, as ``training_manifest.toml`` declares them.

Not here: jobs that are under way.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from cis490_pipeline.cli.output import emit_json, json_option, print_table
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.hyper_parameters import differences
from cis490_pipeline.workers.manifest import CudaUse, Manifest, ManifestJob
from cis490_pipeline.workers.manifest_file import load_manifest
from cis490_pipeline.workers.placement import Placement, hosts_denying, hosts_left, placements
from cis490_pipeline.workers.report import LARGEST_BYTES, WorkerReport, report_from_json

_FILE = click.Path(dir_okay=False, path_type=Path)
_HEADER = ["job", "family", "mode", "context", "split", "seed ", "queue", "needs", "hosts"]
_SHOWN_DIGITS = 12


@click.group("jobs", help="Training jobs for workers: check a manifest of them.")
def command() -> None:
    """Hold the commands about jobs together."""


@command.command("check", help="Check a manifest; list its jobs and where they may run.")
@click.argument("manifest_file", metavar="FILE", type=_FILE)
@click.option(
    "--worker",
    "workers",
    multiple=True,
    type=_FILE,
    help="Say what this worker may run: a file with what `cis490 capability --json` printed there;"
    " may be given several times.",
)
@json_option
def check(manifest_file: Path, workers: tuple[Path, ...], *, as_json: bool) -> None:
    """Read everything, then print."""
    manifest = load_manifest(manifest_file)
    reports = [_report(path) for path in workers]
    print_table(f"{manifest_file.name}: {len(manifest.jobs)} jobs", _HEADER, _rows(manifest))
    placed = [(report.capability.hostname, placements(manifest, report)) for report in reports]
    if len(dict(placed)) < len(placed):
        raise click.UsageError("two reports of --worker are of one host")
    for hostname, found in placed:
        _print_worker(hostname, found)
    jobs = [_job_values(job, n, manifest, placed) for n, job in enumerate(manifest.jobs)]
    emit_json({"manifest": str(manifest_file), "jobs": jobs}, wanted=as_json)


def _report(path: Path) -> WorkerReport:
    try:
        with path.open("rb") as file:
            lines = file.read(LARGEST_BYTES + 1).splitlines()
    except OSError as error:
        raise ConfigurationError(
            "cannot read the report of a worker",
            where=str(path),
            found=str(error),
            todo="write it with `cis490 capability --json`",
        ) from error
    return report_from_json(lines[-1] if lines else b"", where=str(path))


def _rows(manifest: Manifest) -> list[list[str]]:
    return [
        [
            job.identity[:_SHOWN_DIGITS],
            job.request.family,
            job.request.mode.value,
            job.request.context.value,
            job.split,
            str(job.request.seed),
            job.queue.value,
            _needs_in_words(job),
            _hosts_in_words(job, manifest),
        ]
        for job in manifest.jobs
    ]


def _needs_in_words(job: ManifestJob) -> str:
    needs = job.needs
    parts = [] if needs.cuda is CudaUse.ANY else [f"CUDA {needs.cuda}"]
    for what, least in (("VRAM", needs.min_vram_gib), ("RAM", needs.min_ram_gib)):
        if least is not None:
            parts.append(f"{what} ≥ {least:g} GiB")
    return ", ".join(parts) or "–"


def _hosts_in_words(job: ManifestJob, manifest: Manifest) -> str:
    left = hosts_left(job, manifest)
    if left is not None:
        return ", ".join(left)
    denying = hosts_denying(job, manifest)
    return f"any but {', '.join(denying)}" if denying else "any"


def _print_worker(hostname: str, found: Sequence[Placement]) -> None:
    runnable = [one for one in found if one.may_run]
    second = sum(one.second_choice for one in runnable)
    choice = f", {second} of them as second choice" if second else ""
    click.echo(f"{hostname} may run {len(runnable)} of {len(found)} jobs{choice}")
    for one in found:
        if not one.may_run:
            click.echo(f"  not {one.job.identity[:_SHOWN_DIGITS]}: {'; '.join(one.reasons)}")


def _job_values(
    job: ManifestJob,
    number: int,
    manifest: Manifest,
    placed: Sequence[tuple[str, tuple[Placement, ...]]],
) -> dict[str, object]:
    request, needs, left = job.request, job.needs, hosts_left(job, manifest)
    changed = differences(request.hyper_parameters, request.spec.hyper_parameters)
    return {
        "identity": job.identity,
        "family": request.family,
        "mode": request.mode.value,
        "context": request.context.value,
        "split": job.split,
        "seed": request.seed,
        "hyper_parameters": changed,
        "queue": job.queue.value,
        "cuda": needs.cuda.value,
        "min_vram_gib": needs.min_vram_gib,
        "min_ram_gib": needs.min_ram_gib,
        "hosts": None if left is None else list(left),
        "hosts_denying": list(hosts_denying(job, manifest)),
        "workers": {name: _placement_values(found[number]) for name, found in placed},
    }


def _placement_values(one: Placement) -> dict[str, object]:
    return {
        "may_run": one.may_run,
        "second_choice": one.second_choice,
        "reasons": list(one.reasons),
    }
