"""The resource that every asset gets: where the store and the data directory are.

Not here: Dagster's own home (``home``).
"""

import os
from pathlib import Path
from urllib.parse import quote

import dagster as dg

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline.settings import Settings
from cis490_pipeline.warehouse.warehouse import Warehouse


class Lab(dg.ConfigurableResource):
    """An episode store and the warehouse that is made from it, both absolute paths.

    ``threads`` is the number of decoding threads, 0 = one per core; a visit that takes longer than
    ``visit_limit_s`` is a hang. ``reports_url`` is where the data directory's reports are served.
    """

    store: str
    data: str
    threads: int = 0
    visit_limit_s: float = 120.0
    reports_url: str = ""

    @property
    def warehouse(self) -> Warehouse:
        """The data directory."""
        return Warehouse(Path(self.data))

    @property
    def ingest_options(self) -> IngestOptions:
        """How episodes are read."""
        threads = self.threads or os.cpu_count() or 1
        return IngestOptions(threads=threads, visit_limit_s=self.visit_limit_s)

    def page_url(self, page: Path) -> str:
        """Return the address of a page below the data directory's ``reports``."""
        if not self.reports_url:
            return page.as_uri()
        inside = page.relative_to(self.warehouse.layout.root / "reports")
        return f"{self.reports_url.rstrip('/')}/{quote(inside.as_posix())}"

    @property
    def alerts(self) -> Path:
        """The store's operator alerts, whichever index is read."""
        return EpisodeStore(Path(self.store)).alerts_path

    def episode_store(self, index: str) -> EpisodeStore:
        """Return the store, read through the named index file."""
        return EpisodeStore(Path(self.store), index)


def lab_of(settings: Settings) -> Lab:
    """Return the resource for an installation's settings."""
    return Lab(
        store=str(settings.store),
        data=str(settings.data),
        threads=settings.threads,
        visit_limit_s=settings.visit_limit_s,
        reports_url=settings.reports_url,
    )
