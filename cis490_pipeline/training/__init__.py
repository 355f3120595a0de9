"""Fitting a model on the train slice of a split, and choosing by its id_val slice.

In: a ``Job`` (a request on a training set), a callable that loads the two slices, a ``Workshop``
with the registry. Out: a bundle and a ``TrainingOutcome``. Not here: what a model is (``models``),
which episodes train (``splits``), and anything about a test set: no module here can import one, and
``train`` has no parameter for it.
"""
