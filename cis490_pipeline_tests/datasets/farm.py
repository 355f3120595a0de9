"""A small made store of two hosts and three profiles, ingested: large enough for every split."""

from pathlib import Path
from typing import Any, Final

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import add_episode, build_episode, episode_id

PROFILES: Final = ("io-walk", "cpu-saturate", "benign")
FIRST: Final = {"lab-a": 0, "lab-b": 100}


def ship(store: Path, host: str, number: int, profile: str, **knobs: Any) -> str:
    """Append one episode of 40 s to a store and return its id."""
    phases = ("clean",) if profile == "benign" else ("clean", "armed", "infecting", "dormant")
    made: dict[str, Any] = {"seconds": 40, "phases": phases, "sample_name": f"s{number}", **knobs}
    blob = build_episode(profile=profile, host_id=host, episode=episode_id(number), **made)
    add_episode(store, host, episode_id(number), blob)
    return episode_id(number)


def ingest(store: Path, data: Path, *hosts: str) -> Warehouse:
    """Bring hosts up to date and return the warehouse."""
    warehouse = Warehouse(data)
    for host in hosts:
        ingest_host(EpisodeStore(store), warehouse, host)
    return warehouse


def farm(root: Path, profiles: tuple[str, ...] = PROFILES) -> tuple[Path, Warehouse]:
    """Return a store of 12 episodes a host and the warehouse that holds them."""
    store = root / "store"
    for host, first in FIRST.items():
        for n in range(12):
            ship(store, host, first + n, profiles[n % len(profiles)])
    return store, ingest(store, root / "data", *FIRST)
