"""Host and split partitions, and the one function that registers them.

Not here: what a split means (``splits.recipes``), when to look for new hosts (the callers: the
command line, sensors, tests).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import dagster as dg

from cis490_pipeline.episodes.index import IndexEntry, IndexReading
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.splits.recipes import HostLists, split_keys

HOSTS: Final = dg.DynamicPartitionsDefinition(name="host")
SPLITS: Final = dg.DynamicPartitionsDefinition(name="split")

EPISODE_STORE: Final = dg.AssetKey("episode_store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What ``register_partitions`` added; both are sorted."""

    new_hosts: tuple[str, ...]
    new_splits: tuple[str, ...]


def register_partitions(
    instance: dg.DagsterInstance,
    store: EpisodeStore,
    host_lists: Iterable[HostLists] = (),
    time_percents: Sequence[int] = (),
) -> Registered:
    """Add the hosts of an index and the splits that they allow; report what the store holds.

    Safe to repeat. A host that left the index stays: its episodes are still in the tables.

    Parameters
    ----------
    instance
        Where the partitions live.
    store
        Whose index is read as it is now, with what was rotated away.
    host_lists
        Declared splits of the form ``hosts:<name>``.
    time_percents
        Declared cuts of ``time``.
    """
    reading = read_received(store.index_path)
    known_hosts = set(instance.get_dynamic_partitions("host"))
    hosts = known_hosts | {entry.host_id for entry in reading.entries}
    known_splits = set(instance.get_dynamic_partitions("split"))
    splits = set(split_keys(sorted(hosts), tuple(host_lists), time_percents=time_percents))
    new_hosts, new_splits = sorted(hosts - known_hosts), sorted(splits - known_splits)
    if new_hosts:
        instance.add_dynamic_partitions("host", new_hosts)
    if new_splits:
        instance.add_dynamic_partitions("split", new_splits)
    _observe_store(instance, store_versions(store, reading, hosts))
    return Registered(new_hosts=tuple(new_hosts), new_splits=tuple(new_splits))


def store_versions(
    store: EpisodeStore, reading: IndexReading, hosts: Iterable[str]
) -> Mapping[str, tuple[str, int]]:
    """Return host → (hash, number) of what the store holds for it.

    The size on disk is part of the hash: a tarball that arrives after its index row is news. A host
    whose last episode moved to another host is there with nothing.
    """
    held: dict[str, list[tuple[str, str, int | None]]] = {host: [] for host in hosts}
    for entry in reading.entries:
        size = _size_on_disk(store, entry)
        held.setdefault(entry.host_id, []).append((entry.episode_id, entry.sha256, size))
    return {
        host: (hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest(), len(rows))
        for host, rows in sorted(held.items())
    }


def _size_on_disk(store: EpisodeStore, entry: IndexEntry) -> int | None:
    try:
        stamp = store.stamp(entry.host_id, entry.episode_id)
    except OSError:  # the file system does not say; ingest will, with a verdict
        return None
    return None if stamp is None else stamp.size_bytes


def _observe_store(instance: dg.DagsterInstance, versions: Mapping[str, tuple[str, int]]) -> None:
    """Report an observation for each host whose content differs from the last one reported."""
    for host, (version, n_episodes) in versions.items():
        if _last_observed(instance, host) != version:
            instance.report_runless_asset_event(
                dg.AssetObservation(
                    asset_key=EPISODE_STORE,
                    partition=host,
                    metadata={"episodes": n_episodes},
                    tags={"dagster/data_version": version},
                )
            )


def _last_observed(instance: dg.DagsterInstance, host: str) -> str | None:
    records = instance.fetch_observations(
        dg.AssetRecordsFilter(asset_key=EPISODE_STORE, asset_partitions=[host]), limit=1
    ).records
    observation = records[0].asset_observation if records else None
    return (observation.tags or {}).get("dagster/data_version") if observation else None
