"""``gbt`` on few columns: trees combine them."""

from dataclasses import replace

import numpy as np

from cis490_pipeline.models.catalog import family
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline_tests.conformance.factory import make_cases


def _exclusive_or(n_cases, seed):
    """Return cases of one channel whose class shows only where two of its statistics are seen."""
    cases = make_cases(n_cases, 1, seed=seed, classes=(0, 1), n_classes=2)
    noise_NF = np.random.default_rng(seed).normal(size=(n_cases, 6)).astype(np.float32)
    y_N = ((noise_NF[:, 1] > 0) ^ (noise_NF[:, 4] > 0)).astype(np.int64)
    return replace(cases, y_N=y_N, summary_NF=noise_NF)


def test_trees_combine_the_statistics_of_a_single_channel():
    train, id_val, test = (_exclusive_or(n, seed) for n, seed in ((400, 0), (100, 1), (200, 2)))
    done = fit_family(family("gbt"), train, id_val)
    found_N = done.fitted.classifier.predict_proba(test).argmax(axis=1)
    assert (found_N == test.y_N).mean() > 0.9
