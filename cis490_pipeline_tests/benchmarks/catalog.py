"""The rows, by the names that ``--rows`` takes, in the order of the table."""

from collections.abc import Callable
from typing import Final

from cis490_pipeline_tests.benchmarks import (
    rows_bootstrap,
    rows_increment,
    rows_ingest,
    rows_reading,
    rows_transformer,
)
from cis490_pipeline_tests.benchmarks.budgets import Line
from cis490_pipeline_tests.benchmarks.stores import Stores

Row = Callable[[Stores], tuple[Line, ...]]

ROWS: Final[dict[str, Row]] = {
    "ingest-limit": rows_ingest.limit,
    "ingest-straightforward": rows_ingest.straightforward,
    "threads": rows_ingest.threads,
    "one-new": rows_increment.one_new,
    "gather": rows_reading.gather,
    "bytes": rows_reading.stored_bytes,
    "bootstrap": rows_bootstrap.bootstrap,
    "transformer": rows_transformer.transformer,
    "rss": rows_ingest.rss,
    "first-use": rows_ingest.first_use,
}
