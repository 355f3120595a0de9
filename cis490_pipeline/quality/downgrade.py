"""A silent downgrade: a host's newest episodes fare worse at the gate than its own earlier ones.

A host that always shipped some episodes without netflow is not news; one that begins to is. The
newest episodes (at most ``recent_episodes``, at most a third of all) are held against all earlier
ones: a one-sided Fisher test *and* a least effect, since with tens of thousands of episodes any
trifle is significant, and with a handful nothing is.

Looked at after every 5th episode of a history of 1,500 that does not change, the defaults gave a
false alarm in at most 1 of 150 histories (base shares 5, 20 and 42 %); a host of which everything
comes out degraded from one moment on is found after 11 episodes where it was 5 % before, after 25
where it was 42 % (medians of 60).

Not here: how an alert is written (``alerts``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import comb
from typing import Final

from cis490_pipeline.quality.alerts import Alert
from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.quality.findings import CheckOutcome, Finding
from cis490_pipeline.quality.history import Received, received_from
from cis490_pipeline.validation.gate import Status
from cis490_pipeline.warehouse.warehouse import Warehouse

SHARES: Final[dict[str, frozenset[str]]] = {
    "degraded-share": frozenset({Status.DEGRADED.value}),
    "rejected-share": frozenset({Status.REJECTED.value, Status.ERROR.value}),
    "missing-share": frozenset({Status.MISSING.value}),
}
"""Symptom → the verdicts that it counts."""

_FIXES: Final = {
    "degraded-share": "look at the capture of the bridge on that host: episodes without netflow "
    "still train, with 11 channels less",
    "rejected-share": "read the reasons in validation_index; they name what the recorder or the "
    "shipper of that host began to do wrong",
    "missing-share": "look at the transfer: the index names tarballs that are not in the store",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareChange:
    """How often a verdict occurs among the newest episodes and among all earlier ones.

    ``p`` is one-sided; ``newest_at_s`` Unix seconds of the newest episode.
    """

    symptom: str
    recent: int
    n_recent: int
    past: int
    n_past: int
    p: float
    newest_at_s: float
    alarming: bool

    @property
    def day(self) -> str:
        """UTC day of the newest episode: the same figures always have the same day."""
        return datetime.fromtimestamp(self.newest_at_s, UTC).date().isoformat()

    @property
    def finding(self) -> Finding:
        """What to tell people."""
        name = self.symptom.removesuffix("-share")
        return Finding(
            symptom=self.symptom,
            subject=name,
            detail=f"{self.recent} of the newest {self.n_recent} episodes are {name} "
            f"({self.recent / self.n_recent:.0%}), {self.past} of the {self.n_past} before were "
            f"({self.past / self.n_past:.0%}); p = {self.p:.2g}",
            suggested_fix=_FIXES[self.symptom],
        )


def downgrade_alerts(
    host_id: str, changes: Sequence[ShareChange], now: datetime
) -> tuple[Alert, ...]:
    """Return an alert for each alarming share.

    Its key names host, symptom and the UTC day of the newest episode: looking at the same episodes
    again gives the same key, and a downgrade that lasts is told once a day.
    """
    return tuple(
        Alert(
            host=host_id,
            symptom=change.symptom,
            detail=change.finding.detail,
            suggested_fix=change.finding.suggested_fix,
            detected_at_wall=now.isoformat(timespec="seconds"),
            dedup_key=f"quality/{change.symptom}/{host_id}/{change.day}",
        )
        for change in changes
        if change.alarming
    )


def fisher_p(recent: int, n_recent: int, past: int, n_past: int) -> float:
    """Return the probability of at least ``recent`` by chance, both margins given (exact).

    >>> round(fisher_p(3, 4, 1, 4), 4)
    0.2429
    """
    hits, n_all = recent + past, n_recent + n_past
    most = min(hits, n_recent)
    ways = sum(comb(hits, k) * comb(n_all - hits, n_recent - k) for k in range(recent, most + 1))
    return ways / comb(n_all, n_recent)


def share_changes(
    history: Sequence[Received], config: QualityConfig | None = None
) -> tuple[ShareChange, ...]:
    """Return the three shares of a history (oldest first); none where it is too short."""
    config = config or QualityConfig()
    n_recent = min(config.recent_episodes, len(history) // 3)
    n_past = len(history) - n_recent
    if n_recent < config.min_recent or n_past < config.min_episodes:
        return ()
    return tuple(
        _change(history, n_recent, symptom, statuses, config)
        for symptom, statuses in SHARES.items()
    )


def _change(
    history: Sequence[Received],
    n_recent: int,
    symptom: str,
    statuses: frozenset[str],
    config: QualityConfig,
) -> ShareChange:
    hits = [one.status in statuses for one in history]
    recent, past = sum(hits[-n_recent:]), sum(hits[:-n_recent])
    n_past = len(history) - n_recent
    p = fisher_p(recent, n_recent, past, n_past)
    growth = recent / n_recent - past / n_past
    return ShareChange(
        symptom=symptom,
        recent=recent,
        n_recent=n_recent,
        past=past,
        n_past=n_past,
        p=p,
        newest_at_s=history[-1].at_s,
        alarming=p < config.downgrade_p and growth >= config.downgrade_effect,
    )


def host_share_changes(
    warehouse: Warehouse, host_id: str, config: QualityConfig
) -> tuple[ShareChange, ...]:
    """Return the three shares of a host; none where it has too few episodes."""
    return share_changes(received_from(warehouse.tables, host_id), config)


def share_outcome(changes: Sequence[ShareChange]) -> CheckOutcome:
    """Return what the shares say as the outcome of a check."""
    looked_at = "too few episodes to tell a change"
    if changes:
        first = changes[0]
        looked_at = f"the newest {first.n_recent} episodes against the {first.n_past} before"
    return CheckOutcome(
        findings=tuple(one.finding for one in changes if one.alarming),
        looked_at=looked_at,
        head=("verdict", "newest", "before", "p"),
        rows=tuple(
            (
                one.symptom.removesuffix("-share"),
                f"{one.recent} of {one.n_recent}",
                f"{one.past} of {one.n_past}",
                f"{one.p:.2g}",
            )
            for one in changes
        ),
    )
