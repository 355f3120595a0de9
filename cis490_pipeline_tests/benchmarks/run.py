"""Running rows over shared stores.

Not here: the command line (``command``), the table (``report``).
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cis490_pipeline_tests.benchmarks.budgets import RowResult
from cis490_pipeline_tests.benchmarks.catalog import ROWS
from cis490_pipeline_tests.benchmarks.machine import load, machine_facts
from cis490_pipeline_tests.benchmarks.report import Run
from cis490_pipeline_tests.benchmarks.stores import QUICK, Scale, Stores

Say = Callable[[str], None]


def run_rows(names: Sequence[str], scale: Scale, root: Path, say: Say) -> Run:
    """Measure the rows in the order given; stores are made below ``root`` and left there."""
    stores = Stores(root, scale, say)
    stores.require_room()
    started_at, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    rows = tuple(_run_row(name, stores, say) for name in names)
    return Run(
        machine=machine_facts(),
        scale=scale,
        quick=scale is QUICK,
        started_at=started_at,
        seconds=time.monotonic() - began,
        rows=rows,
    )


def _run_row(name: str, stores: Stores, say: Say) -> RowResult:
    say(f"{name} …")
    before, began = load(), time.monotonic()
    lines = ROWS[name](stores)
    seconds = time.monotonic() - began
    say(f"{name}: {', '.join(line.verdict.value for line in lines)} ({seconds:.0f} s)")
    return RowResult(row=name, lines=lines, load=(before, load()), seconds=seconds)
