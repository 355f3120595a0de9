"""Which episodes train and which test: recipes, plan, coverage.

In: facts about the accepted and degraded episodes. Out: a ``SplitPlan``, or a ``Refusal`` that says
why. Not here: reading tables, loading arrays (``datasets``).
"""
