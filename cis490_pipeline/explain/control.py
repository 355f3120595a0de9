"""A model that has learned nothing, to hold an explanation against.

An attribution that looks the same for it says something about the data or the method and nothing
about the model. A network is laid out again with random weights (its normalisation kept: it is no
weight). Of trees and a linear model, random weights are no model at all: they are fitted on the
training windows with labels permuted across all of them, as many rounds as the real one, so that
they fit noise.

Not here: the comparison (``agreement``). Source: Adebayo et al. 2018, *Sanity Checks for Saliency
Maps* (model parameter and data randomisation).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.models.bundle import Bundle
from cis490_pipeline.models.class_weights import inverse_frequency_weights
from cis490_pipeline.models.classifier import (
    Blending,
    Boosting,
    Classifier,
    Compute,
    Counting,
    FitTask,
    HyperParameters,
    Network,
    narrow,
)
from cis490_pipeline.models.gbt import GbtClassifier, GbtHyperParameters
from cis490_pipeline.models.hyper_parameters import with_overrides
from cis490_pipeline.training.counting import fit_counting
from cis490_pipeline.training.fitted import Supervision

RANDOM_WEIGHTS = "random weights"
PERMUTED_LABELS = "permuted labels"


def control_of(
    bundle: Bundle, load_train: Callable[[], Cases], *, seed: int, compute: Compute
) -> tuple[Classifier, str]:
    """Return a model of the same family and shape that has learned nothing, and how it was made.

    Parameters
    ----------
    load_train
        Training windows; called only where the family has to be fitted.
    """
    chosen = with_overrides(
        bundle.spec.hyper_parameters, bundle.header.hyper_parameters, where=bundle.sha256[:12]
    )
    match bundle.spec.fitting:
        case Network() as network:
            return _untrained(bundle, network, chosen, seed), RANDOM_WEIGHTS
        case Boosting():
            from cis490_pipeline.training.boosting import fit_boosting

            chosen = _as_many_rounds(bundle.classifier, chosen)
            task = _permuted(load_train(), bundle, chosen, seed, compute)
            return fit_boosting(task, Supervision()).classifier, PERMUTED_LABELS
        case Counting() as counting:
            task = _permuted(load_train(), bundle, chosen, seed, compute)
            return fit_counting(counting, task, Supervision()).classifier, PERMUTED_LABELS
        case Blending():
            raise TypeError("a blend has no attribution of its own: its members have")


def _untrained(bundle: Bundle, network: Network, chosen: HyperParameters, seed: int) -> Classifier:
    from cis490_pipeline.models.networks.classifier import NetworkClassifier
    from cis490_pipeline.training.randomness import own_randomness

    trained = bundle.classifier
    if not isinstance(trained, NetworkClassifier):
        raise TypeError(f"expected a network, found {type(trained).__name__}")
    with own_randomness(seed, "cpu"):
        fresh = network.build(chosen, bundle.shape)
    normalisation = trained.network.get_submodule("standardise").state_dict()
    fresh.get_submodule("standardise").load_state_dict(normalisation)
    fresh.requires_grad_(requires_grad=False)
    fresh.to(trained.compute.device).eval()
    return replace(trained, network=fresh)


def _as_many_rounds(trained: Classifier, chosen: HyperParameters) -> HyperParameters:
    if not isinstance(trained, GbtClassifier):
        raise TypeError(f"expected boosted trees, found {type(trained).__name__}")
    rounds = trained.booster.num_boosted_rounds()
    return replace(narrow(chosen, GbtHyperParameters), rounds=rounds, patience=rounds)


def _permuted(
    train: Cases, bundle: Bundle, chosen: HyperParameters, seed: int, compute: Compute
) -> FitTask:
    """Return the fit on permuted labels; chosen on the same labels, or it would stop early."""
    y_N = np.random.default_rng(seed).permutation(train.y_N)
    permuted = replace(train, y_N=y_N)
    return FitTask(
        train=permuted,
        id_val=permuted,
        shape=bundle.shape,
        class_weight_K=inverse_frequency_weights(y_N, train.n_classes),
        hyper_parameters=chosen,
        seed=seed,
        compute=compute,
    )
