"""Fitting a blend: every member by its own procedure, on the view of the cases that it reads.

Not here: the procedures (``loop``, ``boosting``), the mean (``models.blend``).
"""

from collections.abc import Callable
from dataclasses import replace

from cis490_pipeline.models.classifier import Blending, FamilySpec, FitTask
from cis490_pipeline.models.views import part_of
from cis490_pipeline.training.fitted import Fitted, Supervision, macro_f1_on
from cis490_pipeline.training.progress import PartReporter

FitMember = Callable[[FamilySpec, FitTask, Supervision], Fitted]


def fit_blend(blending: Blending, task: FitTask, watch: Supervision, fit: FitMember) -> Fitted:
    """Fit the members one after the other; rounds and steps are added up.

    Killed in between, the fit comes to the same end: a network resumes from its checkpoint, and the
    others are fitted anew, to the same weights.
    """
    fits: list[Fitted] = []
    for spec, parameters in blending.members(task.hyper_parameters):
        own = replace(task, shape=part_of(task.shape, spec.inputs), hyper_parameters=parameters)
        named = replace(watch, reporter=PartReporter(watch.reporter, spec.name))
        fits.append(fit(spec, own, named))
    classifier = blending.blend(tuple(one.classifier for one in fits))
    return Fitted(
        classifier=classifier,
        id_val_macro_f1=macro_f1_on(classifier, task.id_val),
        rounds=sum(one.rounds for one in fits),
        best_round=sum(one.best_round for one in fits),
        steps=sum(one.steps for one in fits),
        history=tuple(record for one in fits for record in one.history),
    )
