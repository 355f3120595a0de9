"""What runs on the device: one window after the other, in constant memory, on the base install.

In: a recording or new ticks of the grid, and a model (an exported ONNX file, or any scorer). Out:
what the same window gets in training and scoring, because the arithmetic is shared
(``features.past``, ``phase_filter``, ``probabilities``), and the alarm. Imports none of torch,
xgboost, sklearn, polars, deltalake, dagster. Not here: families, bundles and the export
(``models``), which apply the same filter to whole sets; the choice of a threshold (``training``).
"""
