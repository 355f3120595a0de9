"""From evaluations to what people read: a self-contained page, Markdown, model and data cards.

In: ``ModelEvaluation``, ``Comparison`` and plain facts about bundles and coverage. Out: text; every
``render_*`` function returns it and writes nothing. Names from the data (profiles, hosts, samples)
are hostile until escaped. Not here: any statistic (``evaluation``), writing files (the caller).
"""
