"""The one map of the data directory.

Not here: reading or writing what it names.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.confinement import Confinement


def slug(key: str) -> str:
    """Return a partition key as a file name that is safe and still unique.

    >>> slug("host=lab-b")
    'host=lab-b'
    >>> slug("hosts:../x").startswith("hosts_.._x-")
    True
    """
    plain = re.sub(r"[^A-Za-z0-9=._-]", "_", key)
    if plain == key and not plain.startswith("."):
        return plain
    return f"{plain.lstrip('.')}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one data directory (absolute); confined where a fit is at work."""

    root: Path
    confinement: Confinement | None = None

    def table(self, table: Table) -> Path:
        """Directory of a Delta table."""
        return self.root / "tables" / table.value

    @property
    def tensor(self) -> Path:
        """Directory of all tensor shards."""
        return self.root / "tensor"

    def shards(self, host_id: str) -> Path:
        """Directory of a host's tensor shards."""
        return self.tensor / f"host={host_id}"

    def shard(self, relative: str) -> Path:
        """Path of a shard by the name that ``episodes`` carries."""
        return self.tensor / relative

    @property
    def models(self) -> Path:
        """Bundles by content hash, and the map from job identities to them."""
        return self.root / "models"

    @property
    def training_work(self) -> Path:
        """Checkpoints of fits under way, by job identity."""
        return self.root / "work"

    @property
    def ingest(self) -> Path:
        """Locks and journals of ingest."""
        return self.root / "ingest"

    @property
    def host_lists(self) -> Path:
        """Declared splits of the form ``hosts:<name>``, written by people."""
        return self.root / "splits.toml"

    @property
    def quality_config(self) -> Path:
        """Thresholds of the quality checks, written by people."""
        return self.root / "quality.toml"

    @property
    def feature_schema(self) -> Path:
        """The published schema, beside the tables."""
        return self.root / "tables" / "feature_schema.json"

    @property
    def validation_export(self) -> Path:
        """The validation index with exactly the format's columns."""
        return self.root / "tables" / "validation_v1.parquet"

    def split(self, key: str) -> Path:
        """Directory of a split's set files and evaluations."""
        return self.root / "splits" / slug(key)

    def shadow(self, host_id: str) -> Path:
        """Summary of what shadow mode found on a host."""
        return self.root / "shadow" / f"{slug(host_id)}.json"

    def report(self, key: str) -> Path:
        """Directory of a split's report."""
        return self.root / "reports" / slug(key)

    @property
    def reports_index(self) -> Path:
        """The page over all reports."""
        return self.root / "reports" / "index.html"

    @property
    def leave_one_host_out(self) -> Path:
        """Directory of the page over all hosts."""
        return self.root / "reports" / "leave_one_host_out"

    @property
    def data_card(self) -> Path:
        """Directory of the data card."""
        return self.root / "reports" / "data_card"
