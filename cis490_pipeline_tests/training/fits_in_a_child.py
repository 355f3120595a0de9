"""Fits of a transformer on one warehouse after the other, saying the peak memory after each.

    python -m cis490_pipeline_tests.training.fits_in_a_child WAREHOUSE …

Not here: what is expected of the numbers (``test_memory``).
"""

import sys
from pathlib import Path

from cis490_pipeline.warehouse import mapped
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.training.repeated import one_pass


def peak_bytes() -> int:
    """Return the largest resident set of this process so far."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) * 1024


if __name__ == "__main__":
    mapped.MOST_MAPPED = 8 * 2**20
    for argument in sys.argv[1:]:
        one_pass(Warehouse(Path(argument)), "transformer", width=8, heads=1, layers=1)
        print(peak_bytes(), flush=True)
