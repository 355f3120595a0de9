"""What one pass over the training set sees of it.

In a context, a share of the episodes appears as another host might have recorded them, drawn anew
for every pass: a network that sees a level only once cannot learn it by heart. A pure function of
seed and pass, so that a fit that was killed goes on as if it had not been.

Not here: what may differ between hosts (``datasets.other_hosts``); ``gbt`` fits on everything at
once and gets whole copies instead.
"""

from cis490_pipeline.datasets.cases import SequenceView
from cis490_pipeline.datasets.in_context import StatisticsInContext
from cis490_pipeline.datasets.other_hosts import on_another_host


def view_of_pass(view: SequenceView, share: float, seed: int, number: int) -> SequenceView:
    """Return the view of pass ``number``; without a context, or with a share of 0, the one given.

    Parameters
    ----------
    share
        Of the episodes that are moved.
    """
    if share == 0.0 or not isinstance(view, StatisticsInContext):
        return view
    return on_another_host(view, (seed, number), share)
