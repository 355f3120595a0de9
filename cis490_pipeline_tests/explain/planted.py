"""Models fitted on cases in which one channel decides everything, for the tests of explanations."""

from dataclasses import replace
from functools import cache

import numpy as np

from cis490_pipeline.datasets.array_cases import case_statistics
from cis490_pipeline.datasets.cases import ArraySequences, Cases
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import Classifier, NetworkHyperParameters
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline.training.request import hyper_parameters_from_overrides
from cis490_pipeline_tests.conformance.factory import quick

N_CHANNELS, N_TIMEPOINTS, PLANTED = 6, 20, 4


def planted_cases(n_cases: int, seed: int, *, n_classes: int = 5) -> Cases:
    """Return cases whose class shows in the level of channel 4 alone; a tenth of it is missing."""
    generator = np.random.default_rng(seed)
    y_N = np.arange(n_cases) % n_classes
    x_NCT = generator.normal(size=(n_cases, N_CHANNELS, N_TIMEPOINTS)).astype(np.float32)
    x_NCT[:, PLANTED] += 3.0 * y_N[:, None]
    x_NCT[generator.random(x_NCT.shape) < 0.1] = np.nan
    return cases_of(x_NCT, y_N, n_classes)


def cases_of(x_NCT: np.ndarray, y_N: np.ndarray, n_classes: int = 5) -> Cases:
    """Return plain arrays as cases with both views."""
    return Cases(
        y_N=y_N.astype(np.int64),
        cluster_N=np.arange(len(y_N)),
        t_center_s_N=np.zeros(len(y_N)),
        summary_NF=case_statistics(x_NCT),
        sequences=ArraySequences(x_NCT=x_NCT),
        n_classes=n_classes,
    )


def without(cases: Cases, channel: int, rows: slice) -> Cases:
    """Return the cases with a channel missing throughout in some of them."""
    x_NCT = cases.sequences.gather(np.arange(cases.n_cases)).copy()
    x_NCT[rows, channel] = np.nan
    return replace(cases_of(x_NCT, cases.y_N), summary_NF=case_statistics(x_NCT))


@cache
def planted_model(name: str) -> Classifier:
    """Return a family's model of the planted cases, fitted once."""
    spec = family(name)
    overrides = quick(spec)
    if isinstance(spec.hyper_parameters, NetworkHyperParameters):
        overrides = {**overrides, "epochs": 20, "learning_rate": 0.01, "channel_dropout": 0.0}
    chosen = hyper_parameters_from_overrides(name, overrides)
    train, id_val = planted_cases(200, 1), planted_cases(60, 2)
    return fit_family(spec, train, id_val, hyper_parameters=chosen).fitted.classifier
