"""A laboratory of two hosts with a few real episodes: store, data directory, webserver, daemon.

Not here: what is done in it (the tests).
"""

import contextlib
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.end_to_end.real_store import RealStore
from cis490_pipeline_tests.end_to_end.servers import BIN, Dagster, environment, serving

INGEST: Final = ("validation_index", "tensor_shards", "window_features")


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """A store, the data directory that is made from it, and the webserver over both."""

    store: RealStore
    data: Path
    dagster: Dagster

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.data)


@contextlib.contextmanager
def laboratory(store: RealStore, data: Path, webhook_url: str = "") -> Generator[Laboratory]:
    """Register what a store holds, and serve it until the block ends."""
    surroundings = {**environment(data), "CIS490_STORE": str(store.root)}
    subprocess.run([str(BIN / "cis490"), "register"], env=surroundings, check=True)
    with serving(data, store.root, {"CIS490_WEBHOOK_URL": webhook_url}) as dagster:
        yield Laboratory(store=store, data=data, dagster=dagster)
