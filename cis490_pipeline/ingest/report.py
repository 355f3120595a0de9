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

from cis490_pipeline.ingest.one_pass import TRAINABLE
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.validation.gate import Status
from cis490_pipeline.warehouse.warehouse import Warehouse

TOP_REASONS = 10
_UPTO_LOST = (
    "; the place in the index up to which this run was asked to read is in no file any more: it "
    "read everything"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """Counts of one host.

    ``episodes_new`` were read and committed by this run; everything else describes the tables.
    ``upto_lost``: the run was to read up to a place in the index that is no longer there, and read
    everything.
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
    upto_lost: bool = False

    @property
    def sentence(self) -> str:
        """The run in one line."""
        return (
            f"{self.host_id}: {self.episodes_new} new of {self.episodes_indexed} indexed episodes, "
            f"{self.windows_total} windows held, {self.seconds:.1f} s"
            + (_UPTO_LOST if self.upto_lost else "")
        )


def report_on(
    warehouse: Warehouse,
    host_id: str,
    *,
    n_indexed: int,
    n_new: int,
    seconds: float,
    upto_lost: bool = False,
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
        upto_lost=upto_lost,
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
