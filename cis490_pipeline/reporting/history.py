"""What a split's report said, and when: one line in ``history.jsonl`` for each change of figures.

A line is added when a report's figures differ from those of the last line, never for the same
figures twice in a row, and no line is changed or taken out. The file appears whole or not at all,
and one process at a time adds to it; lines that cannot be read are kept and passed over.

Not here: the page that draws it (``index_page``), the report itself (``publish``).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import ELAPSED_TIME
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.locks import locked

HISTORY: Final = "history.jsonl"
_LOCK: Final = "history.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Macro F1 with its interval; None where untested."""

    name: str
    family: str
    point: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line.

    Attributes
    ----------
    when
        Time of the report that said so first, ISO 8601, UTC.
    training_set_hash, test_set_hash
        What the models were fitted and scored on.
    n_training_episodes, n_episodes
        Episodes of the training set (with id_val) and of the test set.
    n_models
        Configurations that were compared.
    chosen, recommended
        The recommended model, or else the best learned one on id_val; which of both it is.
    elapsed_time
        The control; None where it was not scored.
    """

    version: int = 1
    when: str
    split: str
    training_set_hash: str
    test_set_hash: str
    n_training_episodes: int
    n_episodes: int
    n_models: int
    chosen: Score | None
    recommended: bool
    elapsed_time: Score | None


def entry_of(
    report: Report, *, training_set_hash: str, test_set_hash: str, n_training_episodes: int
) -> HistoryEntry:
    """Return the line of a report."""
    key = report.chosen
    clock = next(
        (one.key for one in report.configurations() if one.key.family == ELAPSED_TIME), None
    )
    comparison = report.comparison
    return HistoryEntry(
        when=report.made_at,
        split=comparison.split,
        training_set_hash=training_set_hash,
        test_set_hash=test_set_hash,
        n_training_episodes=n_training_episodes,
        n_episodes=report.evaluations[0].n_episodes,
        n_models=len(report.configurations()),
        chosen=None
        if key is None
        else _score(report.configured(key), key.family, comparison.macro_f1_of(key)),
        recommended=comparison.recommended is not None,
        elapsed_time=None
        if clock is None
        else _score(report.configured(clock), clock.family, comparison.macro_f1_of(clock)),
    )


def _score(name: str, family: str, interval: Interval) -> Score:
    return Score(
        name=name, family=family, point=interval.point, low=interval.low, high=interval.high
    )


def remember(directory: Path, entry: HistoryEntry) -> bool:
    """Add a line where it says something else than the last one.

    Returns
    -------
    Whether a line was added.

    Raises
    ------
    WarehouseError
        Where the file cannot be written.
    """
    with locked(directory / _LOCK):
        held = read_history(directory)
        if held and replace(held[-1], when=entry.when) == entry:
            return False
        path = directory / HISTORY
        before = path.read_bytes() if path.is_file() else b""
        if before and not before.endswith(b"\n"):
            before += b"\n"
        write_bytes(path, before + msgspec.json.encode(entry) + b"\n")
    return True


def read_history(directory: Path) -> tuple[HistoryEntry, ...]:
    """Return the lines that can be read, oldest first; none where there is no file."""
    path = directory / HISTORY
    if not path.is_file():
        return ()
    found = (_line(line) for line in path.read_bytes().split(b"\n") if line.strip())
    return tuple(entry for entry in found if entry is not None)


def _line(line: bytes) -> HistoryEntry | None:
    try:
        return msgspec.json.decode(line, type=HistoryEntry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
