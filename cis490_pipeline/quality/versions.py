"""Which code recorded a host's newest episodes: more than one version, or one with local changes.

Only the newest episodes count, so that an ordinary upgrade is warned of while both versions are
among them and not for ever after.

Not here: reading ``code_version`` (``episodes.documents``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.quality.findings import CheckOutcome, Finding
from cis490_pipeline.quality.history import Received, newest, received_from
from cis490_pipeline.warehouse.warehouse import Warehouse

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderVersion:
    """Episodes recorded by one commit; ``n_dirty`` of them with local changes."""

    commit: str
    n_episodes: int
    n_dirty: int


def recorder_versions(history: Sequence[Received]) -> tuple[RecorderVersion, ...]:
    """Return the versions of a history in the order of their first episode.

    Episodes without a commit (never opened, or not recorded) are left out.
    """
    found: dict[str, list[bool]] = {}
    for one in history:
        if one.code_commit is not None:
            found.setdefault(one.code_commit, []).append(one.code_dirty is True)
    return tuple(
        RecorderVersion(commit=commit, n_episodes=len(dirty), n_dirty=sum(dirty))
        for commit, dirty in found.items()
    )


def check_versions(warehouse: Warehouse, host_id: str, config: QualityConfig) -> CheckOutcome:
    """Look at the versions of a host's newest episodes."""
    history = received_from(warehouse.tables, host_id)
    recent = newest(history, config.recent_episodes)
    versions = recorder_versions(recent)
    rows = ((v.commit[:_SHOWN], str(v.n_episodes), str(v.n_dirty)) for v in versions)
    return CheckOutcome(
        findings=version_findings(versions),
        looked_at=f"the newest {len(recent)} of {len(history)} episodes",
        head=("commit", "episodes", "with local changes"),
        rows=tuple(rows),
    )


def version_findings(versions: Sequence[RecorderVersion]) -> tuple[Finding, ...]:
    """Return what is wrong with the versions of a host's newest episodes."""
    found: list[Finding] = []
    if len(versions) > 1:
        counts = ", ".join(f"{v.commit[:_SHOWN]} {v.n_episodes}" for v in versions)
        found.append(
            Finding(
                symptom="mixed-code",
                subject="code_version",
                detail=f"{len(versions)} versions of the recorder among them: {counts}",
                suggested_fix="bring the host to one version, and compare channels before and "
                "after: a model may learn the recorder instead of the machine",
            )
        )
    dirty = sum(version.n_dirty for version in versions)
    if dirty:
        found.append(
            Finding(
                symptom="dirty-code",
                subject="code_version",
                detail=f"{dirty} episodes were recorded by code with local changes",
                suggested_fix="commit or undo the changes on that host: what recorded these "
                "episodes cannot be looked up",
            )
        )
    return tuple(found)
