"""The budgets of the project, measured: ``python -m cis490_pipeline_tests.benchmarks``.

Every row names its reference, runs reference and candidate alternately, and reports the median of
the paired ratios with their spread. Work that belongs to a process (ingest) runs in child processes
whose CPU time, memory and wall time the parent takes from the operating system; imports and
compilation lie before the measured part. Linux only: the clocks of a child are read there.

In: nothing, or a directory with room. Out: a table for people and a JSON file. Not here: anything
that CI decides by; a timing on a shared machine is no test.
"""
