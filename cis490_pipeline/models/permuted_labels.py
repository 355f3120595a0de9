"""``permuted_labels``: ``gbt`` with the labels permuted across all training windows.

A negative control. Between such labels and the channels there is nothing to learn, so what the
model scores above chance on a test set comes from somewhere else: windows of the test set in
training, an evaluation that hands out labels, a class mix that is mistaken for skill. Everything
but the labels is as for ``gbt`` (id_val, early stopping, phase filter, calibration); it gives up
sooner, for there is nothing at the end of more rounds.

Not here: the permutation (``training.fit``), the verdict (``evaluation.controls``). Of the rule
that families know nothing of each other this one is the exception: it *is* another family,
mistaught.
"""

from typing import Final

from cis490_pipeline.models.classifier import FamilySpec
from cis490_pipeline.models.gbt import GBT, GbtHyperParameters

PERMUTED_LABELS: Final = FamilySpec(
    name="permuted_labels",
    inputs=GBT.inputs,
    modes=GBT.modes,
    wants_gpu=False,
    hyper_parameters=GbtHyperParameters(rounds=40, patience=10, host_copies=0),
    fitting=GBT.fitting,
    load=GBT.load,
    permutes_labels=True,
)
"""The family."""
