"""Fits that are one call: the baselines, and families whose library fits in one go.

Not here: their arithmetic (the family files).
"""

from cis490_pipeline.models.classifier import Counting, FitTask
from cis490_pipeline.training.fitted import Fitted, Supervision, macro_f1_on


def fit_counting(fitting: Counting, task: FitTask, watch: Supervision) -> Fitted:
    """Fit in one call; cancelling is possible before it only."""
    watch.require_wanted("before the fit, which is one call")
    classifier = fitting.fit(task)
    return Fitted(
        classifier=classifier,
        id_val_macro_f1=macro_f1_on(classifier, task.id_val),
        rounds=1,
        best_round=1,
        steps=1,
        history=(),
    )
