"""How often a step of models is tried again inside its run.

Not here: attempts at a job identity, which outlive runs (``models.registry``).
"""

from typing import Final

import dagster as dg

RETRY: Final = dg.RetryPolicy(max_retries=1, delay=10, backoff=dg.Backoff.EXPONENTIAL)
