"""Types of a split: what is known of an episode, and who plays which role.

Not here: the recipes themselves (``recipes``), persistence (``datasets.training_sets``,
``datasets.test_sets``).
"""

from dataclasses import dataclass
from typing import Final

from cis490_pipeline.schema.ids import EpisodeId, HostId

CONTROL_PROFILE: Final = "benign"
CONTROL_KIND: Final = "control"


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeFacts:
    """What a recipe may look at: never a channel, never a label of a window.

    ``profile``, ``sample_name`` and ``sample_kind`` are empty where the metadata has none;
    ``received_at_s`` is None where the index has no time.
    """

    episode_id: EpisodeId
    host_id: HostId
    sha256: str
    profile: str
    sample_name: str
    status: str
    received_at_s: float | None
    n_windows: int
    sample_kind: str = ""

    @property
    def is_control(self) -> bool:
        """Whether nothing malicious was meant to run; any other episode counts as malicious."""
        return self.profile == CONTROL_PROFILE or self.sample_kind == CONTROL_KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """Roles of a split; the three tuples are disjoint and sorted by episode id.

    ``untested_profiles`` were trained but are absent from the test set; ``unseen_profiles`` are
    tested but absent from training; ``warnings`` are sentences for people (coverage that is thin
    but not unsound, duplicates that were left out); ``claim`` says in one sentence what a score on
    this test set is evidence for.
    """

    split: str
    claim: str
    train: tuple[EpisodeFacts, ...]
    id_val: tuple[EpisodeFacts, ...]
    test: tuple[EpisodeFacts, ...]
    untested_profiles: tuple[str, ...]
    unseen_profiles: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a split would be unsound on the data at hand, and what to do instead."""

    split: str
    reason: str
    suggestion: str
