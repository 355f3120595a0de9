"""The child's side of ``children``: import, warm up, wait, work, wait, end.

Not here: the work (``works``).
"""

import json
import sys
import time
from pathlib import Path

from cis490_pipeline_tests.benchmarks.works import WORKS


def _say(values: dict[str, float]) -> None:
    print(json.dumps(values), flush=True)


def main(text: str) -> None:
    order = json.loads(text)
    start = time.process_time()
    work = WORKS[order["work"]](order["amount"])
    imported = time.process_time()
    work(Path(order["warm_store"]), Path(order["warm_out"]))
    _say({"import_s": imported - start, "first_use_s": time.process_time() - imported})
    if not sys.stdin.readline():
        return  # the parent is gone
    _say(work(Path(order["store"]), Path(order["out"])))
    sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1])
