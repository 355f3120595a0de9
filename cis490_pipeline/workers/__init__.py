"""What a machine can do for others, and which training jobs it may do.

In: a machine, and ``training_manifest.toml``. Out: a ``Capability``, the queues that it may serve,
and the jobs that it may run, each with the reasons where it may not. Plain values and pure
functions but for detection and the self-test. Not here: Dagster and Celery, tokens, the running of
a job (``training``).
"""
