"""A straightforward engineer's path: every stage opens the tarball again.

``validate`` hashes and gates, ``features`` computes labels and statistics, ``tensors`` writes every
window into one compressed ``.npz`` per episode. Built from the slow reference (``tarfile``,
``json.loads`` per line, a grid filled channel by channel, numpy nan-functions); single thread.

Credit: ``validate``, ``gate``, ``features`` and ``tensors`` of the project's baseline script.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline_tests.reference.archive import RawEpisode, open_episode
from cis490_pipeline_tests.reference.channel_table import EXPECTED, SOURCES
from cis490_pipeline_tests.reference.grid import to_grid
from cis490_pipeline_tests.reference.windows import tensors as windows_of
from cis490_pipeline_tests.reference.windows import window_labels

Summary = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def validate(path: Path, sha256: str) -> list[str]:
    """Every reason to reject."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    reasons = [] if digest.hexdigest() == sha256 else ["sha-mismatch"]
    return reasons + _gate(open_episode(path.read_bytes()))


def _gate(episode: RawEpisode) -> list[str]:
    missing = set(EXPECTED) - episode.names - {"netflow.jsonl"}
    reasons = [f"missing-files:{','.join(sorted(missing))}"] if missing else []
    if episode.meta.get("schema_version") != 1:
        reasons.append(f"schema-version:{episode.meta.get('schema_version')}")
    result = episode.meta.get("result") or {}
    reasons += _gate_labels(episode, result.get("phases_observed") or [])
    for source in SOURCES:
        declared, actual = result.get(f"rows_{source}"), len(episode.rows[source])
        if declared is not None and actual != declared:
            reasons.append(f"rows-{source}-mismatch:{actual}!={declared}")
    return reasons if episode.has_done_marker else [*reasons, "done-marker-missing"]


def _gate_labels(episode: RawEpisode, declared: list[str]) -> list[str]:
    labels = episode.labels
    if not labels:
        return ["labels-empty"]
    reasons: list[str] = []
    if labels[0].get("phase") != "clean":
        reasons.append(f"first-phase:{labels[0].get('phase')}")
    if labels[0].get("prev") is not None:
        reasons.append(f"first-prev:{labels[0].get('prev')}")
    times = [label["t_mono_ns"] for label in labels]
    if times != sorted(times):
        reasons.append("labels-not-monotonic")
    if declared and declared != [label.get("phase") for label in labels]:
        reasons.append("phases-meta-mismatch")
    return reasons


def features(path: Path, summary: Summary) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Statistics and labels of all windows."""
    episode = open_episode(path.read_bytes())
    statistics = summary(to_grid(episode))
    return statistics, window_labels(episode.labels, len(statistics))


def tensors(path: Path, out: Path) -> Path:
    """Write all windows and labels of an episode."""
    episode = open_episode(path.read_bytes())
    x_NCT = windows_of(to_grid(episode))
    target = out / f"{path.name.removesuffix('.tar.zst')}.npz"
    np.savez_compressed(target, X=x_NCT, y=window_labels(episode.labels, len(x_NCT)))
    return target
