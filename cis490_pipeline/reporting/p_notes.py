"""What must be said wherever a p-value stands: readings of the test set, and too few episodes.

Not here: the p-values (``evaluation.pairs``), Holm's correction (``evaluation.permutation``).
"""

from collections.abc import Iterator

from cis490_pipeline.evaluation.comparison import Difference
from cis490_pipeline.evaluation.headline import names
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.text import p_value


def p_notes(report: Report) -> tuple[str, ...]:
    """Return sentences on what the p-values of a report's differences do not say."""
    return (readings_note(len(report.ledger)), *_undecidable(report))


def readings_note(n_readings: int) -> str:
    """Say how often a test set was read, and that no p knows of it.

    >>> readings_note(1)
    'This test set was read once; no p is corrected for readings.'
    """
    if not n_readings:
        return "No reading of this test set is recorded; no p is corrected for readings."
    if n_readings == 1:
        return "This test set was read once; no p is corrected for readings."
    return (
        f"This is reading {n_readings} of the same test set: Holm corrects for the tests of one "
        "report, and no p is corrected for the earlier readings."
    )


def _undecidable(report: Report) -> Iterator[str]:
    lost = [one for one in report.comparison.differences if one.undecidable]
    for floor in sorted({one.least_p_holm or 0.0 for one in lost}):
        pairs = [_pair(report, one) for one in lost if one.least_p_holm == floor]
        yield (
            f"{names(pairs)}: so few episodes tell these apart that p after Holm is at least "
            f"{p_value(floor)}, however large the difference: undecided says nothing here."
        )


def _pair(report: Report, one: Difference) -> str:
    return f"{report.configured(one.first)} minus {report.configured(one.second)}"
