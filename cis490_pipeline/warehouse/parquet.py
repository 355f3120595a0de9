"""One Arrow table as one Parquet file, whole or not at all: exports for other tools."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cis490_pipeline.warehouse.atomic import write_bytes


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write the table, replacing what stood there."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(path, memoryview(sink.getvalue()))
