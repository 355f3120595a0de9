"""Fitted models: one family a file, one interface, one bundle format, one registry.

In: ``Cases`` and, for a stored model, its bundle. Out: probabilities per case. Not here: fitting
loops, schedules and attempts at it (``training``), scores (``metrics``, ``evaluation``), reading of
sets and tables (``datasets``).

A new family is one file with a ``FamilySpec`` and one line in ``catalog``. Family files import
torch, xgboost and sklearn inside functions only, so that the catalog costs nothing to import;
torch modules live in ``networks``.
"""
