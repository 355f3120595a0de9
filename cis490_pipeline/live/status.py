"""How the hub and its feeders are: for ``/v1/health`` and ``/metrics``.

Not here: the figures themselves (``hub``, ``holdings``, ``feeders.supervision``).
"""

from collections.abc import Iterable

from cis490_pipeline.live.exposition import Kind, Metric
from cis490_pipeline.live.feeders.supervision import FeederState
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.hub import Hub

Json = dict[str, object]


def health_of(hub: Hub, holdings: Holdings, feeders: Iterable[FeederState]) -> Json:
    """Return what ``/v1/health`` says; a failing feeder does not make the hub ill."""
    return {
        "status": "ok",
        "server": hub.server,
        "started_at": hub.started_at,
        "head": hub.head,
        "listeners": len(hub.listeners),
        "episodes": len(holdings),
        "feeders": {
            one.name: {
                "condition": one.condition.value,
                "runs": one.runs,
                "failures": one.failures,
                "succeeded_at": one.succeeded_at,
            }
            for one in feeders
        },
    }


def metrics_of(hub: Hub, holdings: Holdings, feeders: Iterable[FeederState]) -> list[Metric]:
    """Return what ``/metrics`` says."""
    return [
        *_of_events(hub),
        *_of_listeners(hub),
        *_of_memory(hub, holdings),
        *_of_feeders(feeders),
    ]


def _of_events(hub: Hub) -> list[Metric]:
    tally = hub.tally
    return [
        _count("events_published_total", "Events.", tally.published, label="topic"),
        _count("messages_sent_total", "Messages to listeners.", tally.delivered),
        _count("sent_bytes_total", "Bytes to listeners.", tally.delivered_bytes),
        _count("coalesced_total", "Superseded state that was not sent.", tally.coalesced),
        _count("heartbeats_total", "Heartbeats.", tally.heartbeats),
        _count("gaps_total", "Gaps announced.", tally.gaps, label="reason"),
        _count("requests_refused_total", "Publishing refused.", tally.refused, label="error"),
    ]


def _of_listeners(hub: Hub) -> list[Metric]:
    tally = hub.tally
    furthest = max((one.n_behind for one in hub.listeners), default=0)
    return [
        _gauge("listeners", "Connections that listen.", len(hub.listeners)),
        _gauge("furthest_behind_events", "Events that the slowest one lacks.", furthest),
        _count("listeners_total", "Connections that listened.", tally.listeners),
        _count("listeners_turned_away_total", "Too many at a time.", tally.turned_away),
        _count("listeners_hung_up_total", "Took nothing for too long.", tally.hung_up),
    ]


def _of_memory(hub: Hub, holdings: Holdings) -> list[Metric]:
    held = {topic.value: float(len(newest)) for topic, newest in hub.state.items()}
    gone = {topic.value: float(newest.n_dropped) for topic, newest in hub.state.items()}
    return [
        _gauge("ring_events", "Events remembered.", len(hub.ring)),
        _gauge("ring_bytes", "Bytes of them.", hub.ring.n_bytes),
        _gauge("state_keys", "Newest events remembered.", held, label="topic"),
        _count("state_dropped_total", "Keys forgotten.", gone, label="topic"),
        _gauge("episodes", "Episodes received.", len(holdings)),
    ]


def _of_feeders(feeders: Iterable[FeederState]) -> list[Metric]:
    states = list(feeders)
    runs = {one.name: float(one.runs) for one in states}
    failures = {one.name: float(one.failures) for one in states}
    last = {one.name: one.succeeded_at for one in states if one.succeeded_at is not None}
    return [
        _count("feeder_runs_total", "Steps that succeeded.", runs, label="feeder"),
        _count("feeder_failures_total", "Steps that failed.", failures, label="feeder"),
        _gauge("feeder_succeeded_seconds", "Unix time of success.", last, label="feeder"),
    ]


_Values = dict[str, float] | dict[str, int] | float


def _count(name: str, text: str, values: _Values, label: str = "") -> Metric:
    return _metric(name, Kind.COUNTER, text, values, label)


def _gauge(name: str, text: str, values: _Values, label: str = "") -> Metric:
    return _metric(name, Kind.GAUGE, text, values, label)


def _metric(name: str, kind: Kind, text: str, values: _Values, label: str) -> Metric:
    found = values if isinstance(values, dict) else {"": values}
    return Metric(name=name, kind=kind, text=text, values=dict[str, float](found), label=label)
