"""The store's index → partitions of a prepared Dagster home: one call for the command line.

Not here: what is registered (``partitions``), the home (``home``).
"""

import dagster as dg

from cis490_pipeline.datasets.host_lists import load_host_lists, load_time_percents
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.orchestration.home import prepare_home
from cis490_pipeline.orchestration.partitions import Registered, register_partitions
from cis490_pipeline.settings import Settings
from cis490_pipeline.warehouse.layout import Layout


def register_store(settings: Settings, index: str) -> Registered:
    """Prepare the home and register what the index of the settings' store names."""
    prepare_home(settings)
    store = EpisodeStore(settings.store, index)
    declared = Layout(settings.data).host_lists
    lists, percents = load_host_lists(declared), load_time_percents(declared)
    with dg.DagsterInstance.get() as instance:
        return register_partitions(instance, store, lists, percents)
