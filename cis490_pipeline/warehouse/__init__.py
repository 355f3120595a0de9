"""Where artifacts live: Delta tables, shards, bundles and set files below one data directory.

In: bytes and Arrow tables. Out: the same, committed whole or not at all. Not here: what the bytes
mean (formats belong to ``features``, ``models``, ``datasets``), when they are written (``ingest``).
"""
