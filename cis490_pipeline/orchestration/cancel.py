"""Whether the run that owns a fit is still wanted: asked once an epoch.

An executor that delegates steps does not always stop them when a run is terminated, and an orphaned
step would go on for hours; the training loop therefore asks the instance itself.
"""

import time
from collections.abc import Callable
from typing import Final

import dagster as dg

_OVER: Final = frozenset(
    {
        dg.DagsterRunStatus.CANCELING,
        dg.DagsterRunStatus.CANCELED,
        dg.DagsterRunStatus.FAILURE,
    }
)
_FORWARDING_S: Final = 10.0


def cancel_guard(
    instance: dg.DagsterInstance, run_id: str, *, forwarding_s: float = _FORWARDING_S
) -> Callable[[], bool]:
    """Return a question whose answer is whether the run was cancelled, failed or deleted.

    Parameters
    ----------
    forwarding_s
        While a run is being cancelled, its executor has so long to interrupt the step before the
        answer is given. A fit that stops by itself has failed for Dagster: it is tried again, and
        the last try ends the run as a failure.
    """

    def cancelled() -> bool:
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status is dg.DagsterRunStatus.CANCELING:
            time.sleep(forwarding_s)  # the interruption raises here
        return run is None or run.status in _OVER

    return cancelled
