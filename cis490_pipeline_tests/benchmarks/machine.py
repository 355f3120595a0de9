"""On what machine, with which libraries and which code a run was made."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Final

from cis490_pipeline.models.provenance import code_commit

_LIBRARIES: Final = (
    "numpy",
    "numba",
    "msgspec",
    "zstandard",
    "pyarrow",
    "deltalake",
    "scikit-learn",
    "torch",
    "pysimdjson",
)


def machine_facts() -> dict[str, object]:
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "ram_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "commit": code_commit(),
    }


def load() -> float:
    """The one-minute load: above the number of cores, wall times say little."""
    return os.getloadavg()[0]


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
