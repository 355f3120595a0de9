"""``cis490 capability``: what this machine can run."""

import os
import platform

import click

from cis490_pipeline.cli.output import emit_json, json_option
from cis490_pipeline.models.provenance import code_commit


@click.command("capability", help="Tell cores, memory, CUDA and the queues this machine can serve.")
@json_option
def command(*, as_json: bool) -> None:
    """Detect, print."""
    vram = _vram_bytes()
    found: dict[str, object] = {
        "hostname": platform.node(),
        "cores": os.cpu_count(),
        "ram_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "cuda": bool(vram),
        "vram_bytes": vram,
        "torch": _torch_version(),
        "code_commit": code_commit() or None,
        "queues": ["cpu", "gpu"] if vram else ["cpu"],
    }
    for name, value in found.items():
        click.echo(f"{name:12} {'–' if value is None else value}")
    emit_json(found, wanted=as_json)


def _torch_version() -> str | None:
    try:
        import torch
    except ImportError:
        return None
    return torch.__version__


def _vram_bytes() -> list[int] | None:
    """Return the memory of every CUDA device, None where there is none."""
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    devices = range(torch.cuda.device_count())
    return [torch.cuda.get_device_properties(device).total_memory for device in devices]
