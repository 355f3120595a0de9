"""The phase of each window, how pure it is, and where phases change.

Shape suffixes: L labels, N windows.

Not here: the loop (``kernels``), the grid (``grid``), the class order (``schema.phases``).
Source: episode format, *From rows to windows*, step 4.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.episodes.episode import JsonScalar, Label
from cis490_pipeline.schema.phases import NOT_A_CLASS, phase_code
from cis490_pipeline.telemetry.kernels import write_window_labels

_FAR_NS: Final = 2**62  # beyond any grid; keeps differences of absurd label times in int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowLabels:
    """What the windows of one episode are called.

    Attributes
    ----------
    phase_N
        int8 class index of the phase in force at the window's centre, ``NOT_A_CLASS`` (−1) where
        that label is not canonical.
    purity_N
        float32 share of the window's ticks in that phase, 0 … 1. All labels that are no class
        count as one here; such windows are not rows anyway.
    """

    phase_N: NDArray[np.int8]
    purity_N: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A phase begins ``t_s`` seconds after the episode's first label (negative: before it)."""

    t_s: float
    phase: str


def label_windows(labels: Sequence[Label], t0_wall_ns: int, n_windows: int) -> WindowLabels:
    """Give each of the ``n_windows`` windows of a grid its phase and purity.

    Raises
    ------
    ValueError
        Where windows are asked for but there are no labels: such an episode has no grid.
    """
    phase_N, purity_N = np.empty(n_windows, np.int8), np.empty(n_windows, np.float32)
    if n_windows == 0:
        return WindowLabels(phase_N=phase_N, purity_N=purity_N)
    if not labels:
        raise ValueError(f"{n_windows} windows, but no labels: a grid has its origin in the first")
    ordered = _by_time(labels)
    since_t0 = [min(max(label.t_wall_ns - t0_wall_ns, -1), _FAR_NS) for label in ordered]
    codes = [_code(label.phase) for label in ordered]
    write_window_labels(np.array(since_t0, np.int64), np.array(codes, np.int8), phase_N, purity_N)
    return WindowLabels(phase_N=phase_N, purity_N=purity_N)


def transitions(labels: Sequence[Label], t0_wall_ns: int) -> tuple[Transition, ...]:
    """Return every label row in time order, ``failed`` included.

    A phase that is not a string stands as its JSON text, so that nothing is dropped silently.
    """
    return tuple(
        Transition(t_s=(label.t_wall_ns - t0_wall_ns) / 1e9, phase=_text(label.phase))
        for label in _by_time(labels)
    )


def _by_time(labels: Sequence[Label]) -> list[Label]:
    return sorted(labels, key=lambda label: label.t_wall_ns)


def _code(phase: JsonScalar) -> int:
    return phase_code(phase) if isinstance(phase, str) else NOT_A_CLASS


def _text(phase: JsonScalar) -> str:
    return phase if isinstance(phase, str) else json.dumps(phase)
