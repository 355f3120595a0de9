"""Whether an explanation can be believed: completeness, and the warnings that go with it.

Not here: the figures that it judges (``attributions``, ``agreement``).
"""

from typing import Final

import numpy as np

from cis490_pipeline.explain.agreement import Agreements, RankAgreement, lowest
from cis490_pipeline.explain.attributions import TOLERANCE, Attributions
from cis490_pipeline.explain.result import TOO_SIMILAR, Completeness

DOES_NOT_TRAVEL: Final = 0.5
"""Mean rank correlation with a test host below which the explanation is that of the training hosts
alone."""


def completeness_of(attributions: Attributions) -> Completeness:
    """Return by how much the attributions of the windows miss their sums."""
    error = attributions.error
    return Completeness(
        largest=float(error.max(initial=0.0)),
        median=float(np.median(error)) if error.size else 0.0,
        tolerance=TOLERANCE,
        n_beyond=int(attributions.is_off.sum()),
        n_windows=int(error.size),
    )


def warnings_of(
    completeness: Completeness, with_control: RankAgreement, with_test: Agreements
) -> tuple[str, ...]:
    """Return what a reader has to know before believing the cells."""
    found: list[str] = []
    alike, travels = with_control.mean, lowest(with_test.pairs)
    if alike is not None and alike >= TOO_SIMILAR:
        found.append(
            f"a model that has learned nothing ({with_control.second}) ranks the channels much "
            f"alike (mean rank correlation {alike:.2f}): half of the ranking or more comes from "
            "the data and the method, not from what was learned"
        )
    if alike is None:
        found.append("the comparison with a model that has learned nothing was not possible")
    if travels is not None and travels < DOES_NOT_TRAVEL:
        found.append(
            "on a test host the model looks at other channels than on the training hosts (mean "
            f"rank correlation {travels:.2f})"
        )
    if completeness.n_beyond:
        found.append(
            f"the attributions of {completeness.n_beyond} of {completeness.n_windows} windows miss "
            f"their sum by more than {completeness.tolerance:g} logits or that share of it"
        )
    return tuple(found)
