"""From a grid to what models read: statistics, table rows, shards of raw windows.

In: ``x_TC`` (10 Hz, float32, NaN = missing) and window labels. Out: float32 statistics, Arrow
tables of the warehouse's schemas, bytes of a tensor shard, the published feature schema.

Not here: building the grid (``telemetry``), writing files and committing tables (``warehouse``),
choosing channels for a mode (``datasets``).
"""
