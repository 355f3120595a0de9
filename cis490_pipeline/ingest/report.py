"""What an ingest run did and what a host's tables hold after it.

Not here: the run (``run``).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.gate import TRAINABLE, Status
from cis490_pipeline.warehouse.warehouse import Warehouse

TOP_REASONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """Counts of one host.

    ``episodes_new`` were read and committed by this run; everything else describes the tables.
    ``data_versions`` has an entry for each of the three ingest assets.
    """

    host_id: str
    episodes_indexed: int
    episodes_new: int
    episodes_total: int
    windows_total: int
    shard_bytes: int
    status: Mapping[str, int]
    reasons: tuple[tuple[str, int], ...]
    data_versions: Mapping[str, str]
    seconds: float

    @property
    def sentence(self) -> str:
        """The run in one line."""
        return (
            f"{self.host_id}: {self.episodes_new} new of {self.episodes_indexed} indexed episodes, "
            f"{self.windows_total} windows held, {self.seconds:.1f} s"
        )


def report_on(
    warehouse: Warehouse, host_id: str, *, n_indexed: int, n_new: int, seconds: float
) -> IngestReport:
    """Read a host's tables and describe them."""
    mine = pc.field("host_id") == host_id
    columns = ["episode_id", "sha256", "status", "reasons", "soft_reasons"]
    rows = warehouse.tables.read(Table.VALIDATION_INDEX, columns=columns, where=mine)
    status = Counter(rows["status"].to_pylist())
    return IngestReport(
        host_id=host_id,
        episodes_indexed=n_indexed,
        episodes_new=n_new,
        episodes_total=rows.num_rows,
        windows_total=warehouse.tables.count(Table.WINDOW_FEATURES, where=mine),
        shard_bytes=_shard_bytes(warehouse, host_id),
        status={name.value: status.get(name.value, 0) for name in Status},
        reasons=_top_reasons(rows),
        data_versions=_data_versions(rows),
        seconds=seconds,
    )


def _shard_bytes(warehouse: Warehouse, host_id: str) -> int:
    directory = warehouse.layout.shards(host_id)
    return sum(path.stat().st_size for path in directory.glob("*.f32"))


def _top_reasons(rows: pa.Table) -> tuple[tuple[str, int], ...]:
    kinds: Counter[str] = Counter()
    for name in ("reasons", "soft_reasons"):
        for reasons in rows[name].to_pylist():
            kinds.update({reason.split(":", 1)[0] for reason in reasons})
    return tuple(kinds.most_common(TOP_REASONS))


def _data_versions(rows: pa.Table) -> Mapping[str, str]:
    """Return asset → hash of the content that it stands for, independent of commit order."""
    columns = [rows[name].to_pylist() for name in ("episode_id", "sha256", "status")]
    every = sorted(zip(*columns, strict=True))
    trained = {status.value for status in TRAINABLE}
    content = [row for row in every if row[2] in trained]
    fingerprint = current_schema().fingerprint
    return {
        "validation_index": _digest(fingerprint, every),
        "tensor_shards": _digest(fingerprint, content),
        "window_features": _digest(fingerprint, content),
    }


def _digest(fingerprint: str, rows: list[tuple[str, str, str]]) -> str:
    return hashlib.sha256(json.dumps([fingerprint, rows]).encode()).hexdigest()
