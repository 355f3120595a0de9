"""Running rows over shared stores.

Not here: the command line (``command``), the table (``report``).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cis490_pipeline_tests.benchmarks.budgets import RowResult
from cis490_pipeline_tests.benchmarks.catalog import ROWS
from cis490_pipeline_tests.benchmarks.machine import load, machine_facts
from cis490_pipeline_tests.benchmarks.report import Run
from cis490_pipeline_tests.benchmarks.stores import QUICK, Scale, Stores

Say = Callable[[str], None]
Keep = Callable[[Run], None]


def run_rows(names: Sequence[str], scale: Scale, root: Path, say: Say, keep: Keep) -> Run:
    """Measure the rows in the order given; stores are made below ``root`` and left there.

    ``keep`` gets the run so far after every row: a full run is long, and rows stand alone.
    """
    stores = Stores(root, scale, say)
    stores.require_room()
    began = time.monotonic()
    run = Run(
        machine=machine_facts(),
        scale=scale,
        quick=scale is QUICK,
        asked=tuple(names),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        rows=(),
    )
    for name in names:
        result = _run_row(name, stores, say)
        run = replace(run, rows=(*run.rows, result), seconds=time.monotonic() - began)
        keep(run)
    return run


def _run_row(name: str, stores: Stores, say: Say) -> RowResult:
    say(f"{name} …")
    before, began = load(), time.monotonic()
    lines = ROWS[name](stores)
    seconds = time.monotonic() - began
    say(f"{name}: {', '.join(line.verdict.value for line in lines)} ({seconds:.0f} s)")
    return RowResult(row=name, lines=lines, load=(before, load()), seconds=seconds)
