"""The phase of each window, how pure it is, and where phases change.

Shape suffixes: L labels, N windows, T ticks.

Not here: the grid (``grid``), the class order (``schema.phases``).
Source: episode format, *From rows to windows*, step 4.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cis490_pipeline.episodes.episode import JsonScalar, Label
from cis490_pipeline.schema.phases import NOT_A_CLASS, phase_code
from cis490_pipeline.schema.windows import STRIDE_TICKS, TICK_NS, WINDOW_TICKS

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
    if n_windows == 0:
        return WindowLabels(
            phase_N=np.empty(0, dtype=np.int8), purity_N=np.empty(0, dtype=np.float32)
        )
    if not labels:
        raise ValueError(f"{n_windows} windows, but no labels: a grid has its origin in the first")
    code_T = _codes_at_ticks(labels, t0_wall_ns, (n_windows + 1) * STRIDE_TICKS)
    code_NT = sliding_window_view(code_T, WINDOW_TICKS)[::STRIDE_TICKS]
    phase_N = code_NT[:, WINDOW_TICKS // 2].copy()
    same_NT = code_NT == phase_N[:, np.newaxis]
    return WindowLabels(phase_N=phase_N, purity_N=same_NT.mean(axis=1).astype(np.float32))


def transitions(labels: Sequence[Label], t0_wall_ns: int) -> tuple[Transition, ...]:
    """Return every label row in time order, ``failed`` included.

    A phase that is not a string stands as its JSON text, so that nothing is dropped silently.
    """
    return tuple(
        Transition(t_s=(label.t_wall_ns - t0_wall_ns) / 1e9, phase=_text(label.phase))
        for label in _by_time(labels)
    )


def _codes_at_ticks(labels: Sequence[Label], t0_wall_ns: int, n_ticks: int) -> NDArray[np.int8]:
    """Return the phase code in force at each tick; before the first label, the first."""
    ordered = _by_time(labels)
    since_t0_L = np.array(
        [min(max(label.t_wall_ns - t0_wall_ns, -1), _FAR_NS) for label in ordered], dtype=np.int64
    )
    code_L = np.array([_code(label.phase) for label in ordered], dtype=np.int8)
    tick_T = np.arange(n_ticks, dtype=np.int64) * TICK_NS
    in_force_T = np.searchsorted(since_t0_L, tick_T, side="right") - 1
    return code_L[in_force_T.clip(0)]


def _by_time(labels: Sequence[Label]) -> list[Label]:
    return sorted(labels, key=lambda label: label.t_wall_ns)


def _code(phase: JsonScalar) -> int:
    return phase_code(phase) if isinstance(phase, str) else NOT_A_CLASS


def _text(phase: JsonScalar) -> str:
    return phase if isinstance(phase, str) else json.dumps(phase)
