"""Which episodes train and which test: recipes, plan, coverage, leakage.

In: a split key and facts about the accepted and degraded episodes. Out: a ``SplitPlan``, or a
``Refusal`` that says why; and pure checks of what was planned or persisted. Not here: reading
tables, loading arrays (``datasets``).
"""
