"""Everything put together: a hub over a store and a warehouse, with its feeders.

What a feeder needs is imported when it is made: where a library is missing, that feeder fails and
says so, and the others go on.

Not here: addresses, certificates (the command line).
"""

from dataclasses import dataclass

from cis490_pipeline.live.feeders.progress import Progress
from cis490_pipeline.live.feeders.supervision import Feeder, Plan
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.live.library import Library
from cis490_pipeline.live.limits import HubLimits
from cis490_pipeline.live.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Rests:
    """Seconds between two steps of each feeder."""

    episodes_s: float = 1.0
    snapshot_s: float = 30.0
    alerts_s: float = 2.0
    verdicts_s: float = 30.0
    phase_mix_s: float = 600.0
    models_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A hub, and the plans of its feeders."""

    hub: Hub
    library: Library
    plans: tuple[Plan, ...]


def watch(places: Places, limits: HubLimits, rests: Rests) -> Watch:
    """Make a hub over a store and a warehouse; nothing is read yet."""
    hub, holdings, progress = Hub(limits), Holdings(), Progress()
    plans = _plans(places, hub, holdings, progress, rests)
    library = Library(holdings, progress, places.warehouse)
    return Watch(hub=hub, library=library, plans=plans)


def _plans(
    places: Places, hub: Hub, holdings: Holdings, progress: Progress, rests: Rests
) -> tuple[Plan, ...]:
    store, warehouse = places.store, places.warehouse

    def snapshot() -> Feeder:
        from cis490_pipeline.live.feeders.store_index import SnapshotFeeder

        return SnapshotFeeder(store.index_path, hub, holdings, progress)

    def episodes() -> Feeder:
        from cis490_pipeline.live.feeders.store_index import EpisodeFeeder

        return EpisodeFeeder(store.index_path, hub, holdings, progress)

    def alerts() -> Feeder:
        from cis490_pipeline.live.feeders.alerts import AlertFeeder

        return AlertFeeder(store.alerts_path, hub, holdings, progress)

    def verdicts() -> Feeder:
        from cis490_pipeline.live.feeders.validation_table import VerdictFeeder

        return VerdictFeeder(warehouse, hub, holdings, progress)

    def phase_mix() -> Feeder:
        from cis490_pipeline.live.feeders.phase_mix import PhaseMixFeeder

        return PhaseMixFeeder(warehouse, hub, holdings)

    def models() -> Feeder:
        from cis490_pipeline.live.feeders.models import ModelFeeder

        return ModelFeeder(warehouse.layout, hub)

    def shadow() -> Feeder:
        from cis490_pipeline.live.feeders.shadow import ShadowFeeder

        return ShadowFeeder(warehouse.layout, hub)

    return (
        Plan(name="snapshot", make=snapshot, rest_s=rests.snapshot_s),
        Plan(name="episodes", make=episodes, rest_s=rests.episodes_s),
        Plan(name="alerts", make=alerts, rest_s=rests.alerts_s),
        Plan(name="verdicts", make=verdicts, rest_s=rests.verdicts_s),
        Plan(name="phase_mix", make=phase_mix, rest_s=rests.phase_mix_s),
        Plan(name="models", make=models, rest_s=rests.models_s),
        Plan(name="shadow", make=shadow, rest_s=rests.models_s),
    )
