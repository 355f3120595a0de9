"""The acceptance gate: may this episode train, and if not, for which reasons.

In: an index entry, the tarball's hash and size, the opened ``Episode`` or its ``OpenFailure``.
Out: a ``Verdict``, its row of the validation index, the summary of a sweep, and whether a verdict
still stands. Not here: reading files (``episodes``), running over a store (``ingest``), writing
the table (``warehouse``).
"""
