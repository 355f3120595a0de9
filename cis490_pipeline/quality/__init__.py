"""What may have gone wrong in a lab without anybody noticing: rules over the tables of one host.

In: the tables and shards of a ``Warehouse``, thresholds (``QualityConfig``). Out: ``Finding``
values and, for what must be loud, lines in the store's ``alerts.jsonl``. Not here: whether an
episode is accepted (``validation``), leakage and coverage of a split (``splits``), pages
(``reporting``).
"""
