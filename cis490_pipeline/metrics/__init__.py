"""Metric functions on arrays, for training (model selection) and evaluation alike.

In: class codes, probabilities and cluster indices as numpy arrays. Out: counts and numbers; a class
without support is missing (NaN or None), never 0. Not here: intervals, tests and the choice of a
model (``evaluation``), any knowledge of tables, hosts or families.
"""
