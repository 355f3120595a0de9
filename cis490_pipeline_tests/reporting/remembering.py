"""A process that adds lines to a history, for the test of two at once: ``DIRECTORY NAME COUNT``."""

import sys
from pathlib import Path

from cis490_pipeline.reporting.history import HistoryEntry, remember


def line_of(name: str, number: int) -> HistoryEntry:
    """Return a line that differs from every other in its test set."""
    return HistoryEntry(
        when="2026-11-22T16:40:00+00:00",
        split="host=lab-b",
        training_set_hash="a" * 64,
        test_set_hash=f"{name}{number}",
        n_training_episodes=30,
        n_episodes=24,
        n_models=5,
        chosen=None,
        recommended=False,
        elapsed_time=None,
    )


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    for each in range(int(sys.argv[3])):
        remember(Path(sys.argv[1]), line_of(sys.argv[2], each))
