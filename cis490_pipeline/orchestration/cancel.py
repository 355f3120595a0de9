"""Whether the run that owns a fit is still wanted: asked once an epoch.

An executor that delegates steps does not always stop them when a run is terminated, and an orphaned
step would go on for hours; the training loop therefore asks the instance itself.
"""

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


def cancel_guard(instance: dg.DagsterInstance, run_id: str) -> Callable[[], bool]:
    """Return a question whose answer is whether the run was cancelled, failed or deleted."""

    def cancelled() -> bool:
        run = instance.get_run_by_id(run_id)
        return run is None or run.status in _OVER

    return cancelled
