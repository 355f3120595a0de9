"""Options that several commands share.

Not here: what the commands do.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cis490_pipeline.settings import Settings

if TYPE_CHECKING:  # Delta and Arrow data sets: not every command reads tables
    from cis490_pipeline.warehouse.warehouse import Warehouse

_DIRECTORY = click.Path(file_okay=False, path_type=Path)


def data_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--data``: the data directory, by default ``CIS490_DATA`` or ``data/warehouse``."""
    option = click.option(
        "--data",
        type=_DIRECTORY,
        default=None,
        help="Data directory; default: $CIS490_DATA or data/warehouse.",
    )
    return option(function)


def store_argument(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``STORE``: a directory with ``index.jsonl`` and ``episodes/``."""
    path = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.argument("store", type=path)(function)


def index_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--index``: another index file of the store."""
    option = click.option(
        "--index", default="index.jsonl", show_default=True, help="Index file, inside the store."
    )
    return option(function)


def threads_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--threads``: how many decode at once."""
    option = click.option(
        "--threads",
        type=click.IntRange(min=1),
        default=os.cpu_count() or 1,
        help="Threads; default: one per core.",
    )
    return option(function)


def split_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--split``: a split's key."""
    option = click.option(
        "--split",
        required=True,
        help="host=<h>, sample, time, hosts:<name> or deploy.",
    )
    return option(function)


def settings_for(data: Path | None) -> Settings:
    """Return the settings of this environment, with the data directory that was asked for."""
    return Settings() if data is None else Settings(data=data)


def warehouse_for(data: Path | None) -> "Warehouse":
    """Return the warehouse of the data directory that was asked for."""
    from cis490_pipeline.warehouse.warehouse import Warehouse

    return Warehouse(settings_for(data).data)
