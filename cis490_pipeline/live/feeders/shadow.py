"""Shadow mode, as events: one for each host, told again where its file has changed.

Not here: any figure (``shadow``).
"""

from contextlib import suppress

from anyio.to_thread import run_sync

from cis490_pipeline.evaluation.drift import most_drifted
from cis490_pipeline.live.event_parts import (
    DriftedChannel,
    ModelName,
)
from cis490_pipeline.live.events import (
    Shadow,
)
from cis490_pipeline.live.feeders.models import figure_of
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.shadow.summary import ShadowHost, standing_summaries
from cis490_pipeline.splits.recipes import DEPLOY_KEY
from cis490_pipeline.warehouse.layout import Layout

_FARTHEST = 10
_Stamp = tuple[tuple[str, int, int], ...]


class ShadowFeeder:
    """Tells what changed in the summaries."""

    def __init__(self, layout: Layout, hub: Hub) -> None:
        self._layout = layout
        self._hub = hub
        self._told: dict[str, Shadow] = {}
        self._stamp: _Stamp = ()

    async def step(self) -> str | None:
        """Read the summaries where a file changed, publish what is new."""
        stamp = await run_sync(_stamp_of, self._layout, abandon_on_cancel=True)
        if stamp != self._stamp:
            found = await run_sync(standing_summaries, self._layout, abandon_on_cancel=True)
            for event in map(shadow_event, found):
                if self._told.get(event.host_id) != event:
                    self._hub.publish(event)
                    self._told[event.host_id] = event
            self._stamp = stamp
        return None if stamp else str(self._layout.shadow("any").parent)


def _stamp_of(layout: Layout) -> _Stamp:
    found: list[tuple[str, int, int]] = []
    for path in sorted(layout.shadow("any").parent.glob("*.json")):
        with suppress(FileNotFoundError):  # replaced since its directory was read
            facts = path.stat()
            found.append((str(path), facts.st_mtime_ns, facts.st_size))
    return tuple(found)


def shadow_event(found: ShadowHost) -> Shadow:
    """Return a host's summary as it is told."""
    channels = found.drift.channels
    compared = [one for one in channels if one.ks is not None]
    return Shadow(
        host_id=found.host,
        model=ModelName(
            split=DEPLOY_KEY,
            family=found.family,
            mode=found.mode,
            context=found.context,
            seed=found.seed,
        ),
        bundle=found.bundle,
        n_episodes=found.n_episodes,
        n_windows=found.n_windows,
        n_right=found.n_right,
        n_alarms=found.n_alarms,
        n_false_alarms=found.n_false_alarms,
        figures=(
            figure_of("alarms_per_host_hour", found.alarms_per_host_hour),
            figure_of("false_alarms_per_host_hour", found.false_alarms_per_host_hour),
            figure_of("detected_share", found.detected),
        ),
        last_received_at=found.last_received_at_s,
        n_recent=found.drift.n_episodes,
        n_compared=len(compared),
        n_drifted=sum(one.drifted for one in channels),
        drift=tuple(
            DriftedChannel(channel=one.channel, ks=one.ks or 0.0, beyond_chance=one.drifted)
            for one in most_drifted(found.drift, _FARTHEST)
        ),
        drift_reason=None if compared else _why_none(found),
    )


def _why_none(found: ShadowHost) -> str:
    said = [found.drift.reason, *(one.reason for one in found.drift.channels)]
    return next((one for one in said if one), "no channel has values on both sides")
