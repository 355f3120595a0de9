"""What runs on the device: one window after the other, in constant memory, on the base install.

In: a window's statistics, or a model's probabilities. Out: what the same window gets in training
and scoring, to the last digits, because the arithmetic is shared (``features.past``,
``phase_filter``). Imports none of torch, xgboost, sklearn, polars, deltalake, dagster. Not here:
models (``models``), which apply this filter to whole sets.
"""
