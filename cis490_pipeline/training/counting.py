"""Fits that are one call: the baselines, and families whose library fits in one go.

Not here: their arithmetic (the family files).
"""

from cis490_pipeline.errors import TrainingCancelledError
from cis490_pipeline.models.classifier import Counting, FitTask
from cis490_pipeline.training.fitted import Fitted, Supervision, macro_f1_on


def fit_counting(fitting: Counting, task: FitTask, watch: Supervision) -> Fitted:
    """Fit in one call; cancelling is possible before it only."""
    if watch.cancelled():
        raise TrainingCancelledError("cancelled before fitting", todo="start the run again")
    classifier = fitting.fit(task)
    return Fitted(
        classifier=classifier,
        id_val_macro_f1=macro_f1_on(classifier, task.id_val),
        rounds=1,
        best_round=1,
        steps=1,
        history=(),
    )
