"""Dagster's home: made by one function, always ``<absolute CIS490_DATA>/dagster``.

A relative base directory would follow each process's working directory and split the history
silently, so the command line, ``make ui``, sensors and tests all come through here.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import dagster as dg

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.settings import Settings
from cis490_pipeline.warehouse.atomic import write_bytes

POOL_LIMITS: Final[Mapping[str, int]] = {"gpu": 1}
"""Steps of a pool that run at once on one machine."""


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
        _set_pool_limits(instance)
    return home


def _set_pool_limits(instance: dg.DagsterInstance) -> None:
    """Set limits that nobody has set yet: an operator's own choice in the UI stands."""
    storage = instance.event_log_storage
    known = {pool.name for pool in storage.get_pool_limits() if not pool.from_default}
    for pool, limit in POOL_LIMITS.items():
        if pool not in known:
            storage.set_concurrency_slots(pool, limit)
