"""The worker, with a decoder that some tarballs kill or hang: run as a script.

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
from pathlib import Path
from typing import NoReturn

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.episode import Episode, OpenFailure
from cis490_pipeline.ingest import one_pass, worker

COMMAND = (sys.executable, "-P", str(Path(__file__).resolve()))
VARIABLE = "CIS490_TEST_POISON"


def _raise() -> NoReturn:
    raise LookupError("nobody planned for this")


def _backtrack() -> None:
    """Hang in C with the interpreter lock held: no other thread, no Python signal handler runs."""
    re.match(r"(a+)+b", "a" * 64)


KINDS: dict[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "out of memory": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(3600),
    "hang with the lock": _backtrack,
    "exception": _raise,
    "exit": lambda: os._exit(3),
    "noise": lambda: os.write(1, b"noise\n"),
}


def main() -> None:
    poison: dict[str, str] = json.loads(os.environ[VARIABLE])
    real_open = one_pass.open_episode

    def open_episode(compressed: bytes, limits: ArchiveLimits) -> Episode | OpenFailure:
        kind = poison.get(hashlib.sha256(compressed).hexdigest())
        if kind is not None:
            KINDS[kind]()
        return real_open(compressed, limits)

    one_pass.open_episode = open_episode
    worker.main()


if __name__ == "__main__":
    main()
