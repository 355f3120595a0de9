"""The resource that every asset gets: where the store and the data directory are.

Not here: Dagster's own home (``home``).
"""

import os
from pathlib import Path

import dagster as dg

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.settings import Settings
from cis490_pipeline.warehouse.warehouse import Warehouse


class Lab(dg.ConfigurableResource):
    """An episode store and the warehouse that is made from it, both absolute paths.

    ``threads`` is the number of decoding threads, 0 = one per core.
    """

    store: str
    data: str
    threads: int = 0

    @property
    def warehouse(self) -> Warehouse:
        """The data directory."""
        return Warehouse(Path(self.data))

    @property
    def n_threads(self) -> int:
        """Decoding threads."""
        return self.threads or os.cpu_count() or 1

    @property
    def alerts(self) -> Path:
        """The store's operator alerts, whichever index is read."""
        return EpisodeStore(Path(self.store)).alerts_path

    def episode_store(self, index: str) -> EpisodeStore:
        """Return the store, read through the named index file."""
        return EpisodeStore(Path(self.store), index)


def lab_of(settings: Settings) -> Lab:
    """Return the resource for an installation's settings."""
    return Lab(store=str(settings.store), data=str(settings.data), threads=settings.threads)
