"""The only package that imports Dagster: a thin roof over the library.

In: run configuration, partitions, an instance. Out: definitions. Not here: anything that computes a
number; every asset reads its context, calls one library function and returns its result.
"""
