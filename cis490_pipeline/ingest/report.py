"""What an ingest run did and what a host's tables hold after it.

Not here: the run (``run``).
"""

import hashlib
import os
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
    rows: pa.Table,
    *,
    n_indexed: int,
    n_new: int,
    seconds: float,
    upto_lost: bool = False,
) -> IngestReport:
    """Describe what a host's tables hold.

    Parameters
    ----------
    rows
        The host's rows of the validation index after the run: the run knows them, and reading
        them once more would cost as much as finding nothing new.
    """
    status = Counter(rows["status"].to_pylist())
    return IngestReport(
        host_id=host_id,
        episodes_indexed=n_indexed,
        episodes_new=n_new,
        episodes_total=rows.num_rows,
        windows_total=warehouse.tables.rows_in_partition(Table.WINDOW_FEATURES, host_id),
        shard_bytes=_shard_bytes(warehouse, host_id),
        status={name.value: status.get(name.value, 0) for name in Status},
        reasons=_top_reasons(rows),
        data_versions=_data_versions(rows),
        seconds=seconds,
        upto_lost=upto_lost,
    )


def _shard_bytes(warehouse: Warehouse, host_id: str) -> int:
    try:
        with os.scandir(warehouse.layout.shards(host_id)) as found:
            return sum(entry.stat().st_size for entry in found if entry.name.endswith(".f32"))
    except FileNotFoundError:
        return 0


def _top_reasons(rows: pa.Table) -> tuple[tuple[str, int], ...]:
    """Return kinds of reasons with the number of episodes that have them, most frequent first."""
    kinds: Counter[str] = Counter()
    for name in ("reasons", "soft_reasons"):
        reasons = rows[name].combine_chunks()
        texts, owners = reasons.flatten().to_pylist(), reasons.value_parent_indices().to_pylist()
        once = {(row, text.split(":", 1)[0]) for row, text in zip(owners, texts, strict=True)}
        kinds.update(kind for _, kind in once)
    return tuple(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:TOP_REASONS])


def _data_versions(rows: pa.Table) -> Mapping[str, str]:
    """Return asset → hash of the content that it stands for.

    The order of commits, compaction and what a shard is called are not part of it.
    """
    trained = rows.filter(pc.field("status").isin(sorted(TRAINABLE)))
    content = _digest(trained)
    return {
        "validation_index": _digest(rows),
        "tensor_shards": content,
        "window_features": content,
    }


def _digest(rows: pa.Table) -> str:
    columns = [rows[name].to_pylist() for name in ("episode_id", "sha256", "status")]
    lines = sorted(map(" ".join, zip(*columns, strict=True)))  # a blank stands in none of them
    return hashlib.sha256("\n".join([current_schema().fingerprint, *lines]).encode()).hexdigest()
