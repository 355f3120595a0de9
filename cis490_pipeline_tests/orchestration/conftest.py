"""A Dagster instance over a small store of two hosts, and materialization in this process."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.orchestration.build import build_definitions
from cis490_pipeline.orchestration.partitions import Registered, register_partitions
from cis490_pipeline.settings import Settings
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import add_episode, build_episode, episode_id

INGEST = ["validation_index", "tensor_shards", "window_features"]
PROFILES = ("io-walk", "cpu-saturate", "benign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Farm:
    """A store, its data directory, an instance, and the definitions over them."""

    store: Path
    settings: Settings
    instance: dg.DagsterInstance
    definitions: dg.Definitions

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.data)

    def register(self) -> Registered:
        return register_partitions(self.instance, EpisodeStore(self.store))

    def run(
        self,
        selection: str | Sequence[str],
        partition: str | None = None,
        *,
        run_config: dict[str, object] | None = None,
        tags: dict[str, str] | None = None,
        raise_on_error: bool = True,
    ) -> dg.ExecuteInProcessResult:
        """Materialize a selection (with its checks) in this process."""
        words = [selection] if isinstance(selection, str) else list(selection)
        chosen = dg.AssetSelection.from_coercible(words)
        job = dg.define_asset_job("in_test", selection=chosen)
        repository = dg.Definitions(
            assets=self.definitions.assets,
            asset_checks=self.definitions.asset_checks,
            resources=self.definitions.resources,
            jobs=[job],
            executor=dg.in_process_executor,
        )
        return repository.resolve_job_def("in_test").execute_in_process(
            instance=self.instance,
            partition_key=partition,
            run_config=run_config or {},
            tags=tags,
            raise_on_error=raise_on_error,
        )

    def ingest(self, *hosts: str) -> None:
        for host in hosts:
            assert self.run(INGEST, host).success

    def ship(self, host: str, number: int, *, profile: str = "io-walk", **knobs: Any) -> None:
        """Append one more episode to the store; the knobs are those of ``build_members``."""
        phases = ("clean",) if profile == "benign" else ("clean", "armed", "infecting", "dormant")
        made: dict[str, Any] = {"seconds": 40, "phases": phases, "sample_name": f"s{number}"}
        blob = build_episode(profile=profile, host_id=host, **{**made, **knobs})
        add_episode(self.store, host, episode_id(number), blob)


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    settings = Settings(store=tmp_path / "store", data=tmp_path / "data", threads=1)
    with dg.DagsterInstance.ephemeral() as instance:
        made = Farm(
            store=settings.store,
            settings=settings,
            instance=instance,
            definitions=build_definitions(settings),
        )
        for host, first in (("lab-a", 0), ("lab-b", 100)):
            for n in range(12):
                made.ship(host, first + n, profile=PROFILES[n % 3])
        made.register()
        yield made
