"""How often a step is tried again inside its run, and how long a run may take.

A step is tried again when its process is killed as well as when it raises; runs whose own process
died are ``dagster.yaml``'s. Every step has one of these policies.

Not here: attempts at a job identity, which outlive runs (``models.registry``).
"""

from typing import Final

import dagster as dg

INGEST_RETRY: Final = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)
"""What was committed stays, another try is cheap; a store on NFS may be away for a while."""

RETRY: Final = dg.RetryPolicy(max_retries=1, delay=10, backoff=dg.Backoff.EXPONENTIAL)
"""A fit resumes. Once, since an identity has three attempts, and the run may be tried again too."""

QUICK_RETRY: Final = dg.RetryPolicy(max_retries=1, delay=2, backoff=dg.Backoff.EXPONENTIAL)
"""For steps of seconds: most of what they raise would be raised again."""

SIX_HOURS: Final = {"dagster/max_runtime": str(6 * 3600)}
"""For jobs that fit nothing: what takes longer hangs, and would close its host or split all day."""
