"""What a model's predictions are evidence for: scores with intervals, paired comparisons, a choice.

In: rows of the ``predictions`` table. Out: ``ModelEvaluation`` and ``Comparison``, frozen and
JSON-able; what is absent is null with a reason. The unit of every interval and test is the episode;
there is no path that resamples windows. Everything is chosen on id_val, the test set only reports.
Not here: fitting (``training``), metric functions (``metrics``), pages (``reporting``).
"""
