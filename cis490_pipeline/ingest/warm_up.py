"""Load the compiled code that a visit takes, so that no episode's time limit pays for it.

The kernels are compiled at their first call on a machine and read from a cache later: seconds to a
minute, and half a second. Not here: the pass over real episodes (``one_pass``).
"""

import json
from typing import Final

from cis490_pipeline.episodes.archive import LABELS_FILE, Archive
from cis490_pipeline.episodes.decode import decode_episode
from cis490_pipeline.episodes.episode import Episode
from cis490_pipeline.features.statistics import both_statistics
from cis490_pipeline.schema.channels import SOURCE_FACTS
from cis490_pipeline.schema.phases import Phase
from cis490_pipeline.telemetry.grid import Grid, build_grid
from cis490_pipeline.telemetry.labelling import label_windows

_TIMES_NS: Final = tuple(second * 1_000_000_000 for second in range(1, 13))  # more than a window


def warm_up() -> None:
    """Put a made-up episode through the kernels."""
    rows = b"".join(json.dumps({"t_wall_ns": t_ns}).encode() + b"\n" for t_ns in _TIMES_NS)
    label = {"t_wall_ns": _TIMES_NS[0], "t_mono_ns": 0, "phase": Phase.CLEAN.value, "prev": None}
    members = {facts.file_name: rows for facts in SOURCE_FACTS.values()}
    members[LABELS_FILE] = json.dumps(label).encode() + b"\n"
    episode = decode_episode(Archive(members=members, has_pcap=False))
    grid = build_grid(episode) if isinstance(episode, Episode) else None
    if isinstance(episode, Episode) and isinstance(grid, Grid):
        both_statistics(grid.x_TC)
        label_windows(episode.labels, _TIMES_NS[0], grid.n_windows)
