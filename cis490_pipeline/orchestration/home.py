"""Dagster's home: made by one function, always ``<absolute CIS490_DATA>/dagster``.

A relative base directory would follow each process's working directory and split the history
silently, so the command line, ``make ui``, sensors and tests all come through here.
"""

import os
import sys
from pathlib import Path
from typing import Final

import dagster as dg

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.settings import Settings
from cis490_pipeline.warehouse.atomic import write_bytes

GPU_POOL: Final = "gpu"
_NVIDIA_DEVICES: Final = Path("/proc/driver/nvidia/gpus")


def instance_file() -> Path:
    """Return the checkout's ``dagster.yaml``.

    Raises
    ------
    ConfigurationError
        Where the package does not lie in a checkout.
    """
    path = Path(__file__).resolve().parents[2] / "dagster.yaml"
    if not path.is_file():
        raise ConfigurationError(
            "dagster.yaml is not beside the package",
            where=str(path),
            todo="run from a checkout with `make install`",
        )
    return path


def prepare_home(settings: Settings) -> Path:
    """Create or refresh the home, and export it to this process and its children.

    Returns
    -------
    Path
        The absolute home directory, also in ``DAGSTER_HOME``.
    """
    home = settings.dagster_home
    wanted = instance_file().read_bytes()
    target = home / "dagster.yaml"
    if not target.is_file() or target.read_bytes() != wanted:
        write_bytes(target, wanted)
    os.environ.update(
        DAGSTER_HOME=str(home), CIS490_DATA=str(settings.data), CIS490_STORE=str(settings.store)
    )
    with dg.DagsterInstance.from_config(str(home)) as instance:
        _set_pool_limit(instance, gpu_steps_at_once())
    return home


def gpu_steps_at_once(devices: Path = _NVIDIA_DEVICES, cores: int | None = None) -> int:
    """Return how many steps that want a GPU run at once on this machine.

    One where the driver lists a GPU: fits would share its memory. Where there is none such a step
    is one core's work like any other, and as many run as there are cores. torch is not asked, since
    importing it takes seconds at every start of the UI.

    Parameters
    ----------
    devices
        Where the NVIDIA driver lists its devices (Linux).
    cores
        Cores of the machine; None counts them.
    """
    has_gpu = sys.platform != "linux" or (devices.is_dir() and any(devices.iterdir()))
    return 1 if has_gpu else max(1, cores or os.cpu_count() or 1)


def _set_pool_limit(instance: dg.DagsterInstance, limit: int) -> None:
    """Set the limit that nobody has set yet: an operator's own choice in the UI stands."""
    storage = instance.event_log_storage
    known = {pool.name for pool in storage.get_pool_limits() if not pool.from_default}
    if GPU_POOL not in known:
        storage.set_concurrency_slots(GPU_POOL, limit)
