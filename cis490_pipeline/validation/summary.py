"""The outcome of a sweep in numbers.

Not here: printing it (``cli``), comparing it with earlier sweeps (asset checks).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cis490_pipeline.episodes.index import Damage, DamageKind
from cis490_pipeline.validation.gate import Status
from cis490_pipeline.validation.record import ValidationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSummary:
    """Counts over the rows of a sweep; a 0 here is a true count.

    Attributes
    ----------
    by_status
        All five statuses.
    by_host
        The same for each host that has rows, hosts in alphabetical order.
    top_reasons
        Kinds of reasons (hard and soft) with the number of episodes that have them, most frequent
        first.
    index_damage
        All nine kinds.
    """

    by_status: dict[Status, int]
    by_host: dict[str, dict[Status, int]]
    top_reasons: tuple[tuple[str, int], ...]
    index_damage: dict[DamageKind, int]

    @property
    def episodes(self) -> int:
        """Rows in all."""
        return sum(self.by_status.values())


def summarize(rows: Sequence[ValidationRow], damage: Iterable[Damage]) -> SweepSummary:
    """Count a sweep's rows and the damage of the index that it followed."""
    hosts = sorted({row.host_id for row in rows})
    kinds = Counter(one.kind for one in damage)
    return SweepSummary(
        by_status=_by_status(rows),
        by_host={host: _by_status([row for row in rows if row.host_id == host]) for host in hosts},
        top_reasons=_top_reasons(rows),
        index_damage={kind: kinds[kind] for kind in DamageKind},
    )


def _by_status(rows: Iterable[ValidationRow]) -> dict[Status, int]:
    counts = Counter(row.status for row in rows)
    return {status: counts[status.value] for status in Status}


def _top_reasons(rows: Iterable[ValidationRow]) -> tuple[tuple[str, int], ...]:
    counts = Counter(kind for row in rows for kind in _kinds(row))
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _kinds(row: ValidationRow) -> set[str]:
    return {reason.partition(":")[0] for reason in (*row.reasons, *row.soft_reasons)}
