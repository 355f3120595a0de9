"""The search over a family's declared grid: every combination is a job, id_val takes the best.

A combination is fitted like any other request, with an identity, attempts, a checkpoint and a
bundle of its own. So a search that was killed fits nothing again that is finished, the combination
under way resumes from its last epoch, and a later request for one of them finds it made. The
result is the best one's model under the identity of the search, with the log in its header.

The best of several scores on one id_val is better than the model is: the log says how many were
tried, and cards quote it with that warning.

Not here: the grids (the families), the fit of a combination (``run``), any test set.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cis490_pipeline.edge.header import BundleHeader, Trial
from cis490_pipeline.models.bundle import read_files, read_header
from cis490_pipeline.models.hyper_parameters import Scalar
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.training.job import TrainingOutcome
from cis490_pipeline.training.request import TrainingRequest

FitTrial = Callable[[TrainingRequest, str], TrainingOutcome]
"""Fits one combination under a name for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """The best combination, and the log of all of them."""

    best: TrainingOutcome
    trials: tuple[Trial, ...]


def search(request: TrainingRequest, fit: FitTrial, registry: ModelRegistry) -> Searched:
    """Fit every combination in the declared order and choose by macro F1 on id_val.

    Equal scores go to the earlier combination, so to the defaults before all others; a score that
    is undefined is worse than any.
    """
    requests = request.trials
    outcomes = [
        fit(one, f"combination {number} of {len(requests)}")
        for number, one in enumerate(requests, start=1)
    ]
    scores = [-1.0 if o.id_val_macro_f1 is None else o.id_val_macro_f1 for o in outcomes]
    chosen = scores.index(max(scores))
    trials = tuple(
        _trial(varied, outcome, registry, chosen=number == chosen)
        for number, (varied, outcome) in enumerate(zip(request.varied, outcomes, strict=True))
    )
    return Searched(best=outcomes[chosen], trials=trials)


def searched_bundle(
    registry: ModelRegistry, identity: str, searched: Searched
) -> tuple[BundleHeader, dict[str, bytes]]:
    """Return header and weights of the best combination under the identity of the search."""
    directory = registry.root / searched.best.bundle
    _, header = read_header(directory)
    files = read_files(directory, header)
    return replace(header, identity=identity, search=searched.trials), files


def _trial(
    varied: Mapping[str, Scalar],
    outcome: TrainingOutcome,
    registry: ModelRegistry,
    *,
    chosen: bool,
) -> Trial:
    _, header = read_header(registry.root / outcome.bundle)
    return Trial(
        identity=outcome.identity,
        hyper_parameters=varied,
        id_val_macro_f1=outcome.id_val_macro_f1,
        rounds=header.history.rounds,
        best_round=header.history.best_round,
        seconds=registry.seconds_of(outcome.identity),
        chosen=chosen,
    )
