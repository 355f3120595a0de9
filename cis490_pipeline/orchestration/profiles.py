"""How the steps of a run are executed: the ``local`` profile, one process a step.

Not here: which runs there are (``jobs``), limits of pools and runs (``dagster.yaml``).
"""

from collections.abc import Mapping
from typing import Final

import dagster as dg

PRELOADED: Final = ("cis490_pipeline.definitions",)


def local_executor() -> dg.ExecutorDefinition:
    """Return the executor of the ``local`` profile.

    Steps are forked from a server that has the definitions loaded: importing Dagster, Arrow and
    numba costs more than most steps do. Neither torch nor xgboost is loaded before the fork.
    """

    def with_preload(config: Mapping[str, object]) -> dict[str, object]:
        return {
            "max_concurrent": config["max_concurrent"],
            "start_method": {"forkserver": {"preload_modules": list(PRELOADED)}},
        }

    schema = {
        "max_concurrent": dg.Field(
            int,
            default_value=0,
            is_required=False,
            description="Steps at once; 0 is one per core. Pools limit further.",
        )
    }
    return dg.multiprocess_executor.configured(with_preload, config_schema=schema, name="local")
