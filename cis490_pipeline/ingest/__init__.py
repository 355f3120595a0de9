"""The one-pass composition: store → verdict, shard, statistics, tables, for what is new.

In: an ``EpisodeStore`` and a ``Warehouse``. Out: rows, shards and an ``IngestReport``. One function
for the assets, the command line and the live view. Not here: the arithmetic (``telemetry``,
``features``), the rules (``validation``).
"""
