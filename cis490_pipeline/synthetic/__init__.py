"""Made-up episode stores for benchmarks and tests: seeded, deterministic, damaged on request.

In: a ``SynthConfig``. Out: a store on disk as the episode format describes it, and a manifest of
what was planted. Written from the format alone: shares with the reader nothing but ``schema`` (and
``warehouse.atomic`` for whole files), so that the two can be held against each other. Does not
belong here: reading or judging episodes. No claim about accuracy is made on this data.
"""
