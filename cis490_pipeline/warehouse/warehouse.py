"""One data directory: its layout and its tables, handed around as one value.

Not here: the formats of what is stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.warehouse.confinement import Confinement
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.tables import Tables


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The artifacts of one data directory (absolute path).

    ``confinement`` says whose rows may be read; None is everybody's.
    """

    root: Path
    confinement: Confinement | None = None

    @property
    def layout(self) -> Layout:
        """Where everything is."""
        return Layout(self.root, self.confinement)

    @property
    def tables(self) -> Tables:
        """The Delta tables."""
        return Tables(self.layout)

    def confined(self, episode_ids: Iterable[str], of: str) -> "Warehouse":
        """Return the same directory for a fit: no row of other episodes, no test set file."""
        return Warehouse(self.root, Confinement(episode_ids=frozenset(episode_ids), of=of))
