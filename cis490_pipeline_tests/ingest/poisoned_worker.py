"""The worker, with a decoder that some tarballs kill or hang: ``python -m`` of this module.

Which ones, and how, stands in the variable ``CIS490_TEST_POISON``: JSON of tarball sha256 → kind.
"""

import ctypes
import hashlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.episode import Episode, OpenFailure
from cis490_pipeline.ingest import one_pass, worker
from cis490_pipeline.ingest.messages import AloneJob, AnyJob, Finished

COMMAND = (sys.executable, "-P", "-m", "cis490_pipeline_tests.ingest.poisoned_worker")
VARIABLE = "CIS490_TEST_POISON"


def _raise() -> NoReturn:
    raise LookupError("nobody planned for this")


def _backtrack() -> None:
    """Hang in C with the interpreter lock held: no other thread, no Python signal handler runs."""
    re.match(r"(a+)+b", "a" * 64)


KINDS: dict[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "out of memory": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(3600),
    "hang with the lock": _backtrack,
    "exception": _raise,
    "exit": lambda: os._exit(3),
}


def main() -> None:
    poison: dict[str, str] = json.loads(os.environ[VARIABLE])
    real_open, real_work = one_pass.open_episode, worker.work
    alone = False

    def open_episode(compressed: bytes, limits: ArchiveLimits) -> Episode | OpenFailure:
        kind = poison.get(hashlib.sha256(compressed).hexdigest(), "harmless")
        name = kind.removesuffix(" in company")
        if name in KINDS and not (alone and name != kind):
            KINDS[name]()
        return real_open(compressed, limits)

    def work(job: AnyJob, send: worker.Send) -> Finished:
        nonlocal alone
        alone = isinstance(job, AloneJob)
        return real_work(job, send)

    one_pass.open_episode, worker.work = open_episode, work
    worker.main()


if __name__ == "__main__":
    main()
