"""Windows kept in ``.npz`` files: what shards are compared with.

Shape suffixes: N windows, B a batch of windows, C channels, T timepoints.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import SequenceView


class Layout(StrEnum):
    """The first is what the straightforward path writes; the others are kinder to the reader."""

    COMPRESSED = "one compressed .npz per episode, opened for each window"
    UNCOMPRESSED = "one uncompressed .npz per episode, opened for each window"
    SINGLE = "one uncompressed .npz per window"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """Every window of a warehouse, with its episode and its place in it."""

    view: SequenceView
    episode_N: NDArray[np.int64]
    place_N: NDArray[np.int64]

    @property
    def n_windows(self) -> int:
        return len(self.episode_N)

    def of_episode(self, episode: int) -> NDArray[np.float32]:
        x_BCT = self.view.gather(np.flatnonzero(self.episode_N == episode))
        return np.ascontiguousarray(x_BCT)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NpzWindows:
    """Those of the windows that will be read, in files."""

    root: Path
    windows: Windows
    layout: Layout

    @classmethod
    def write(
        cls, root: Path, windows: Windows, layout: Layout, wanted_B: NDArray[np.int64]
    ) -> "NpzWindows":
        root.mkdir(parents=True)
        if layout is Layout.SINGLE:
            for case in np.unique(wanted_B):
                np.savez(root / f"{case}.npz", X=windows.view.gather(np.array([case]))[0])
        else:
            save: Callable[..., None] = (
                np.savez_compressed if layout is Layout.COMPRESSED else np.savez
            )
            for episode in np.unique(windows.episode_N[wanted_B]):
                save(root / f"{episode}.npz", X=windows.of_episode(int(episode)))
        return cls(root=root, windows=windows, layout=layout)

    def gather(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return ``x_BCT``, opening a file for each window."""
        return np.stack([self._one(int(case)) for case in index_B])

    def _one(self, case: int) -> NDArray[np.float32]:
        if self.layout is Layout.SINGLE:
            with np.load(self.root / f"{case}.npz") as held:
                return held["X"]
        with np.load(self.root / f"{self.windows.episode_N[case]}.npz") as held:
            return held["X"][self.windows.place_N[case]]

    def remove(self) -> None:
        shutil.rmtree(self.root)
